"""How the machinery is, told from what the database knows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.dashboard.work import Work, work_status
from orders.tasks import cancel_unpaid_order
from scheduling.models import Process
from scheduling.planning import plan

pytestmark = pytest.mark.django_db


def make_process(kind: str, *, seen: int = 1, **fields: object) -> Process:
    now = timezone.now()
    started = {"started_at": now - timedelta(hours=1), "seen_at": now - timedelta(seconds=seen)}
    return Process.objects.create(name=f"{kind}@host", kind=kind, hostname="host", pid=1, **started, **fields)


def status() -> Work:
    return work_status(timezone.now())


def test_work_without_scheduler_or_worker_needs_somebody() -> None:
    assert (status().scheduler_silent, status().workers, status().needs_you) == (True, 0, True)


def test_work_with_both_alive_needs_nobody() -> None:
    make_process("scheduler")
    make_process("worker")
    assert (status().workers, status().needs_you) == (1, False)


def test_scheduler_that_was_not_seen_for_long_is_silent() -> None:
    make_process("scheduler", seen=60)
    assert status().scheduler_silent


def test_failing_broker_is_told_with_its_error() -> None:
    since = timezone.now() - timedelta(minutes=5)
    make_process("scheduler", broker_failing_since=since, broker_error="connection refused")
    assert (status().broker_failing_since, status().broker_error) == (since, "connection refused")


def test_work_that_nobody_noticed_to_be_due_is_late() -> None:
    at = timezone.now() - timedelta(minutes=5)
    plan("order:1/cancel-unpaid", cancel_unpaid_order, at=at, kwargs={"order_id": 1})
    assert status().late == 1
