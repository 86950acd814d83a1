from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from scheduling.due import claim_due
from tests.brokers.stage import (
    WORKER,
    committed_rows,
    handed_over,
    let_hand_over_again,
    stage,
    statuses,
    wait_until,
)

pytestmark = pytest.mark.django_db


def test_another_broker_takes_over_what_was_planned_and_what_was_waiting(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    due_at = timezone.now() + timedelta(hours=1)
    with committed_rows(django_db_blocker):
        with stage("redis") as old:
            planned = old.plan(1000, at=due_at)
            old.cluster.drop(WORKER)
            waiting = old.plan(100)
            wait_until(lambda: handed_over(waiting))
        with stage("zookeeper") as new:
            let_hand_over_again(waiting)
            new.expect_once(waiting)
            assert statuses(planned) == []
            while claim_due(now=due_at, lease=timedelta(hours=-1)):
                pass
            new.expect_once(planned)
