import pytest


@pytest.fixture
def _django_db_helper() -> None:
    """Leave out what pytest-django does around each test: others must see the rows, and keep theirs."""
