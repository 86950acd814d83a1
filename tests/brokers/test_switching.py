"""Another broker takes over on a running system, as `docs/brokers.md` says how."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from scheduling.due import claim_due
from tests import services
from tests.brokers.database import make_postgresql, use_database
from tests.brokers.servers import broker
from tests.brokers.stage import WORKER, handed_over, play, statuses, wait_until

PLANNED, WAITING = 1000, 100
MANY_SECONDS = 300
"""For so many on the slowest broker, an emulator, on a machine with much else to do."""


@pytest.mark.parametrize(
    ("old", "new"),
    [("redis", "rabbitmq"), ("rabbitmq", "redis"), ("redis", "zookeeper"), ("redis", "sqs")],
)
def test_nothing_is_lost_or_doubled_when_another_broker_takes_over(
    old: str, new: str, postgresql: services.Service, django_db_blocker: DjangoDbBlocker
) -> None:
    due_at = timezone.now() + timedelta(hours=1)
    url = make_postgresql(postgresql.url, f"{old}_to_{new}")
    with django_db_blocker.unblock(), use_database(url):
        with broker(old) as running, play(old, running, url) as before:
            planned = before.plan(PLANNED, at=due_at)
            before.cluster.drop(WORKER)
            waiting = before.plan(WAITING)
            wait_until(lambda: handed_over(waiting))
        with broker(new) as running, play(new, running, url) as after:
            call_command("send_again")
            after.expect_once(waiting)
            assert statuses(planned) == []
            # What its scheduler does in an hour.
            while claim_due(now=due_at, lease=timedelta(hours=-1)):
                pass
            after.expect_once(planned, seconds=MANY_SECONDS)
