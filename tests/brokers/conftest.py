from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests import services
from tests.brokers.database import make_postgresql, make_sqlite
from tests.brokers.servers import SERVERS
from tests.brokers.stage import Stage, stage

STAGES = [*((broker, "postgresql") for broker in SERVERS), ("redis", "sqlite")]


@pytest.fixture(scope="package", params=STAGES, ids="-".join)
def played(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One broker, with a database of its own and what works on both."""
    broker, kind = request.param
    with services.temporary_folder() as folder, django_db_blocker.unblock():
        if kind == "sqlite":
            url = make_sqlite(folder)
        else:
            url = make_postgresql(request.getfixturevalue("postgresql").url, broker)
        with stage(broker, url) as made:
            yield made
