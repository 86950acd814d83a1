from collections.abc import Iterator

import pytest

from tests import services


@pytest.fixture(scope="session")
def redis() -> Iterator[services.Service]:
    """One Redis for all tests that only need some broker."""
    with services.redis_server() as service:
        yield service


@pytest.fixture(scope="session")
def postgresql() -> Iterator[services.Service]:
    """One PostgreSQL for all tests that make databases of their own in it."""
    with services.postgresql_server() as service:
        yield service
