import dataclasses

import pytest

from tests.faults.promises import EVERY_POINT, MEASUREMENTS
from tests.faults.report import measure_apart

MEASURED = {measurement.name: measurement for measurement in (*MEASUREMENTS, EVERY_POINT)}


# The long run is `make faults`; here each fault is inflicted just often enough to notice a break.
@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("kill-every-point", 1),
        ("redelivery", 20),
        ("receiver-raises", 3),
        ("at-once", 20),
        ("poison-raise", 1),
        ("poison-kill", 1),
        ("edits", 9),
        ("downtime", 1),
        ("daylight-saving", 1),
        ("clock-jumps", 1),
        ("retention", 1000),
    ],
)
def test_promise_is_kept(name: str, n: int) -> None:
    measurement = dataclasses.replace(MEASURED[name], n=n)
    result = measure_apart(measurement, "sqlite", n=n)
    assert result.get("broken") == {}, result
