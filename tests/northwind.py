"""The Northwind files, which are no part of this project: five CSV files of a shop of the nineties."""

import os
from pathlib import Path

import pytest
from django.conf import settings


def northwind() -> Path:
    """Find the folder, or skip the test that needs it (with REQUIRE_SERVICES=1, fail it)."""
    beside_the_checkout = Path(settings.BASE_DIR).parent / "shared" / "data" / "northwind"
    folder = Path(os.environ.get("NORTHWIND_DIR", beside_the_checkout))
    if (folder / "orders.csv").exists():
        return folder
    words = f"the Northwind files are not in {folder} (NORTHWIND_DIR names another folder)"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(words)
    pytest.skip(words)
