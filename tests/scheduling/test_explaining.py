from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import states
from django.utils import timezone

from scheduling.explaining import Cause, explain
from scheduling.models import Attempt, Recurrence, Run
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run
from tests.scheduling.schedules import by_interval

pytestmark = pytest.mark.django_db


@pytest.fixture
def healthy() -> None:
    make_process("scheduler")
    make_process("worker")


def why(run: Run, now: datetime | None = None) -> list[Cause]:
    return explain(run, now=now or timezone.now())


def handed_over(**fields: Any) -> Run:
    now = timezone.now()
    defaults = {"handed_over_at": now, "hand_overs": 1, "hand_over_at": now + timedelta(minutes=1)}
    return make_run(**{**defaults, **fields})


def ago(**length: float) -> datetime:
    return timezone.now() - timedelta(**length)


@pytest.mark.parametrize("status", [states.STARTED, states.SUCCESS, states.FAILURE, states.REVOKED])
def test_run_that_does_not_wait_needs_no_explanation(status: str) -> None:
    assert why(make_run(status)) == []


@pytest.mark.usefixtures("healthy")
def test_nothing_is_in_the_way() -> None:
    [cause] = why(handed_over())
    assert cause == Cause("Nothing is in its way: it starts within seconds.")


@pytest.mark.usefixtures("healthy")
def test_due_in_the_future() -> None:
    [cause] = why(make_run(due_at=ago(minutes=-5, seconds=-30)))
    assert cause == Cause("It is due in 5 min.")


def test_no_scheduler() -> None:
    make_process("worker")
    [cause] = why(make_run(hand_over_at=ago(seconds=30)))
    assert cause == Cause("No scheduler is running, so nothing hands it over.", needs_someone=True)


def test_silent_scheduler() -> None:
    make_process("worker")
    make_process("scheduler", seen_at=ago(minutes=4))
    [cause] = why(make_run(hand_over_at=ago(minutes=3)))
    assert cause == Cause("The scheduler has been silent for 4 min.", needs_someone=True)


def test_one_of_two_schedulers_is_enough() -> None:
    make_process("worker")
    make_process("scheduler", seen_at=ago(minutes=4))
    make_process("scheduler", name="scheduler@other")
    [cause] = why(make_run(hand_over_at=ago(minutes=3)))
    assert cause.words.startswith("Nothing is in its way")


def test_failing_broker() -> None:
    make_process("worker")
    make_process("scheduler", broker_failing_since=ago(minutes=2), broker_error="Connection refused")
    [cause] = why(make_run(hand_over_at=ago(minutes=1)))
    assert cause == Cause(
        "The broker has taken no messages for 2 min: Connection refused", needs_someone=True
    )


def test_no_worker_on_the_queue() -> None:
    make_process("scheduler")
    make_process("worker", queues=["celery"])
    [cause] = why(handed_over(queue="mail"))
    assert cause == Cause("No worker listens on queue mail.", needs_someone=True)


def test_silent_worker_is_named() -> None:
    make_process("scheduler")
    make_process("worker", seen_at=ago(minutes=4))
    [cause] = why(handed_over())
    assert cause.words == "No worker listens on queue celery; worker@host did, and was last seen 4 min ago."


@pytest.mark.usefixtures("healthy")
def test_others_are_ahead() -> None:
    handed_over(due_at=ago(minutes=9))
    handed_over(due_at=ago(minutes=8))
    handed_over(due_at=ago(minutes=9), queue="mail")
    [cause] = why(handed_over())
    assert cause == Cause("2 wait ahead of it on queue celery.")


def test_busy_workers_are_told_of() -> None:
    make_process("scheduler")
    make_process("worker", concurrency=2, running=["a", "b"])
    handed_over(due_at=ago(minutes=9))
    [cause] = why(handed_over())
    assert cause.words == "1 waits ahead of it on queue celery, and the workers are busy with 2."


@pytest.mark.usefixtures("healthy")
def test_expired() -> None:
    [cause] = why(handed_over(options={"expires": ago(minutes=3).isoformat()}))
    assert cause == Cause("It has expired 3 min ago: whichever worker takes it drops it.", needs_someone=True)


@pytest.mark.usefixtures("healthy")
def test_last_run_still_going() -> None:
    last = make_run(states.STARTED, date_started=ago(minutes=10))
    [cause] = why(make_run(waits_for=last.pk, hand_over_at=ago(seconds=1)))
    assert cause.words == (
        "The last run of its schedule is still going, for 10 min now; this one waits for its end."
    )


@pytest.mark.usefixtures("healthy")
def test_last_run_that_has_ended_is_no_cause() -> None:
    last = make_run(states.SUCCESS)
    [cause] = why(make_run(waits_for=last.pk, hand_over_at=ago(seconds=1)))
    assert cause.words.startswith("Nothing is in its way")


@pytest.mark.usefixtures("healthy")
def test_retry_waits() -> None:
    run = make_run(states.RETRY, attempt=2, hand_over_at=ago(minutes=-2, seconds=-30))
    Attempt.objects.create(run=run, number=1, ended_at=timezone.now(), error="OSError: refused")
    [cause] = why(run)
    assert cause.words == "Attempt 1 failed with OSError: refused. The next one starts in 2 min."


@pytest.mark.usefixtures("healthy")
def test_retry_that_was_handed_over_waits_for_a_worker() -> None:
    run = handed_over(status=states.RETRY, attempt=2)
    Attempt.objects.create(run=run, number=1, ended_at=ago(minutes=5), error="OSError: refused")
    [cause] = why(run)
    assert cause.words.startswith("Nothing is in its way")


@pytest.mark.usefixtures("healthy")
def test_messages_that_get_lost() -> None:
    [cause] = why(handed_over(hand_overs=4))
    assert cause.words.startswith("It was handed to the broker 4 times and not started")
    assert cause.needs_someone


@pytest.mark.usefixtures("healthy")
def test_paused_schedule_holds_nothing_back() -> None:
    schedule = by_interval(1, "hours", name="Report", task="x", enabled=False)
    schedule.interval.save()
    schedule.save()
    Recurrence.objects.create(periodic_task=schedule)
    [cause] = why(handed_over(periodic_task_name="Report"))
    assert cause.words.startswith("Its schedule is paused")
