"""A real worker with processes of its own, on a real Redis; the tests tick the scheduler."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import chord, current_app, group, states
from celery.app.task import Task
from celery.result import AsyncResult
from django.utils import timezone

from orders.models import Category
from scheduling.handover import publish
from scheduling.models import Process, Run
from scheduling.planning import plan
from tests import services
from tests.scheduling import factories
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.conftest import TickUntil
from tests.scheduling.factories import reload, result_of
from tests.scheduling.workers import running_worker

NAME = "celery@tests"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def worker(
    redis: services.Service, django_db_setup: None, django_db_blocker: Any, database_url: str
) -> Iterator[services.Service]:
    """A worker of two processes, for all tests of this module."""
    with django_db_blocker.unblock(), running_worker(NAME, redis.url, database_url) as process:
        yield services.Service(url=redis.url, process=process)


def make_run(task: Task, **fields: Any) -> Run:
    """Make a run with an id of its own: a worker remembers those that were revoked."""
    return factories.make_run(task, task_id=str(uuid.uuid4()), **fields)


def has_ended(run: Run) -> bool:
    return reload(run).task_result.status in states.READY_STATES


def test_a_planned_run_is_done(tick_until: TickUntil) -> None:
    plan("order:1/x", tasks.record, at=timezone.now(), kwargs={"name": "x"})
    tick_until(Category.objects.exists)
    tick_until(lambda: has_ended(Run.objects.get()))
    result = Run.objects.get().task_result
    assert (result.status, result.worker, result.periodic_task_name) == (states.SUCCESS, NAME, "order:1/x")


def test_a_task_that_kills_its_process_is_tried_again_and_then_fails(tick_until: TickUntil) -> None:
    run = make_run(tasks.kill_its_process, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    run = reload(run)
    assert (run.task_result.status, run.attempt) == (states.FAILURE, 2)
    [attempt] = run.attempts.all()
    assert "SIGKILL" in attempt.error
    assert "WorkerLostError" in run.error


def test_a_retry_waits_in_the_database_and_is_done(tick_until: TickUntil) -> None:
    run = make_run(tasks.retry_by_hand, hand_over_at=timezone.now())
    tick_until(lambda: reload(run).attempt == 2)
    Run.objects.update(hand_over_at=timezone.now())
    tick_until(lambda: reload(run).attempt == 3)
    Run.objects.update(hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    assert reload(run).task_result.status == states.FAILURE
    assert reload(run).attempts.count() == 2


def test_a_message_of_third_party_code_is_recorded_and_done(tick_until: TickUntil) -> None:
    sent = tasks.add.delay(1, 2)
    assert sent.get(timeout=30) == 3
    run = Run.objects.select_related("task_result").get(pk=sent.id)
    assert (run.planned_by, run.task_result.status) == ("code", states.SUCCESS)


def test_the_results_of_a_group_come_back(tick_until: TickUntil) -> None:
    sent = group(tasks.add.s(number, 1) for number in range(3))()
    assert sent.get(timeout=30) == [1, 2, 3]


def test_a_chord_goes_on_when_its_header_is_done(tick_until: TickUntil) -> None:
    sent = chord([tasks.add.s(1, 2), tasks.add.s(3, 4)])(tasks.total.s())
    assert sent.get(timeout=30) == 10


def test_a_chord_waits_for_a_member_that_is_tried_again(tick_until: TickUntil) -> None:
    sent = chord([tasks.add.s(1, 2), tasks.succeed_at_second_try.s()])(tasks.total.s())
    tick_until(lambda: Run.objects.filter(attempt=2).exists())
    tick_until(lambda: AsyncResult(sent.id, app=current_app).ready())
    assert sent.get(timeout=1) == 5


def test_a_chain_goes_on_after_a_link_that_is_tried_again(tick_until: TickUntil) -> None:
    sent = (tasks.succeed_at_second_try.s() | tasks.add.s(1))()
    tick_until(lambda: AsyncResult(sent.id, app=current_app).ready())
    assert sent.get(timeout=1) == 3


def test_a_failure_in_a_chord_reaches_its_body(tick_until: TickUntil) -> None:
    sent = chord([tasks.add.s(1, 2), tasks.report_failure.s()])(tasks.total.s())
    tick_until(lambda: AsyncResult(sent.id, app=current_app).ready())
    assert sent.state == states.FAILURE


def test_a_run_that_takes_too_long_fails(tick_until: TickUntil) -> None:
    run = make_run(tasks.wait, kwargs={"seconds": 30}, options={"time_limit": 1}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    assert "TimeLimitExceeded" in reload(run).error


def test_a_message_that_expired_is_recorded_as_expired(tick_until: TickUntil) -> None:
    expires = (timezone.now() - timedelta(seconds=1)).isoformat()
    run = make_run(tasks.report, options={"expires": expires}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    assert reload(run).not_run_because == Run.NotRun.EXPIRED


def test_a_second_message_of_a_planned_run_does_nothing(tick_until: TickUntil) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    Run.objects.update(hand_over_at=timezone.now())
    first = reload(run).task_result
    other = make_run(tasks.add, kwargs={"x": 1, "y": 2}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(other))
    assert Category.objects.count() == 1
    assert reload(run).task_result.date_done == first.date_done


def test_a_planned_message_whose_run_was_pruned_does_nothing(tick_until: TickUntil) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(run))
    Category.objects.all().delete()
    reload(run).task_result.delete()
    with current_app.connection_for_write() as connection:
        publish(run, app=current_app, producer=current_app.amqp.Producer(connection))
    other = make_run(tasks.add, kwargs={"x": 1, "y": 2}, hand_over_at=timezone.now())
    tick_until(lambda: has_ended(other))
    assert not Category.objects.exists()
    assert not Run.objects.filter(pk=run.pk).exists()


def test_what_a_worker_runs_is_in_its_heartbeat(tick_until: TickUntil) -> None:
    run = make_run(tasks.wait, kwargs={"seconds": 8}, hand_over_at=timezone.now())
    tick_until(lambda: Process.objects.filter(name=NAME, running=[run.pk]).exists())
    assert reload(run).attempt == 1
    tick_until(lambda: has_ended(run))
    assert reload(run).task_result.status == states.SUCCESS
    process = Process.objects.get(name=NAME)
    assert (process.queues, process.concurrency) == (["celery"], 2)
    assert result_of(run).result == "waited"


def test_a_worker_that_is_stopped_signs_off_after_its_last_run(
    worker: services.Service, tick_until: TickUntil
) -> None:
    run = make_run(tasks.wait, kwargs={"seconds": 2}, hand_over_at=timezone.now())
    tick_until(lambda: reload(run).task_result.status == states.STARTED)
    worker.process.terminate()
    services.wait_until(lambda: worker.process.poll() is not None, seconds=30)
    assert reload(run).task_result.status == states.SUCCESS
    assert not Process.objects.filter(name=NAME).exists()
