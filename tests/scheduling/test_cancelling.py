from typing import Any

import pytest
from celery import states
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.cancelling import cancel, cancel_runs
from scheduling.due import claim_due
from scheduling.models import Run
from scheduling.planning import plan
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import (
    HOUR,
    MINUTE,
    deliver,
    make_one_off,
    make_recurring,
    make_run,
    make_started,
    reload,
    result_of,
)

KEY = "order:1/reminder"

pytestmark = pytest.mark.django_db


def test_a_waiting_plan_is_cancelled_and_kept_as_a_run() -> None:
    plan(KEY, tasks.record, at=timezone.now() + HOUR, kwargs={"name": "x"})
    outcome = cancel(KEY, because="the order was cancelled")[KEY]
    assert outcome.stopped
    assert outcome.words == "cancelled before it started"
    assert not PeriodicTask.objects.exists()
    assert not ClockedSchedule.objects.exists()
    run = Run.objects.select_related("task_result").get()
    assert run.not_run_because == Run.NotRun.CANCELLED
    assert run.reason == "the order was cancelled"
    assert (run.subject, run.kwargs) == ("order:1", {"name": "x"})
    assert run.task_result.status == states.REVOKED
    assert run.task_result.date_done is not None


def test_a_cancelled_plan_never_runs() -> None:
    plan(KEY, tasks.report, at=timezone.now())
    cancel(KEY, because="x")
    assert not claim_due(now=timezone.now() + HOUR, lease=MINUTE)


def test_a_plan_that_staff_paused_is_cancelled_too() -> None:
    make_one_off(KEY, enabled=False)
    assert cancel(KEY, because="x")[KEY].stopped
    assert not PeriodicTask.objects.exists()


def test_cancelling_leaves_a_recurring_schedule_of_that_name_alone() -> None:
    make_recurring(KEY)
    assert not cancel(KEY, because="x")[KEY].stopped
    assert PeriodicTask.objects.get().enabled


def test_a_due_run_is_cancelled_before_it_starts() -> None:
    run = make_run(periodic_task_name=KEY, hand_over_at=timezone.now())
    outcome = cancel(KEY, because="paid meanwhile")[KEY]
    assert outcome.stopped
    run = reload(run)
    assert run.task_result.status == states.REVOKED
    assert run.not_run_because == Run.NotRun.CANCELLED
    assert run.reason == "paid meanwhile"
    assert run.hand_over_at is None


def test_the_message_of_a_cancelled_run_does_nothing() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, periodic_task_name=KEY)
    cancel(KEY, because="x")
    deliver(run)
    assert reload(run).task_result.status == states.REVOKED


def test_a_run_that_waits_for_its_next_attempt_is_cancelled() -> None:
    run = make_run(periodic_task_name=KEY, status=states.RETRY)
    assert cancel(KEY, because="x")[KEY].stopped
    assert reload(run).task_result.status == states.REVOKED


def test_why_it_was_cancelled_is_what_celery_reads() -> None:
    run = make_run(periodic_task_name=KEY)
    cancel(KEY, because="paid meanwhile")
    assert str(result_of(run).result) == "paid meanwhile"


def test_a_running_one_is_too_late() -> None:
    run = make_started(periodic_task_name=KEY)
    outcome = cancel(KEY, because="x")[KEY]
    assert not outcome.stopped
    assert outcome.words == f"too late: running since {run.task_result.date_started:%H:%M:%S} UTC"


@pytest.mark.parametrize(
    ("status", "words"), [(states.SUCCESS, "too late: finished"), (states.FAILURE, "too late: failed")]
)
def test_one_that_ended_is_too_late(status: str, words: str) -> None:
    make_run(periodic_task_name=KEY, status=status, date_done=timezone.now())
    outcome = cancel(KEY, because="x")[KEY]
    assert not outcome.stopped
    assert outcome.words.startswith(words)


@pytest.mark.parametrize(
    ("because", "words"),
    [("cancelled", "was cancelled already"), ("expired", "had expired already"), ("missed", "was missed")],
)
def test_one_that_was_not_run_says_why(because: str, words: str) -> None:
    make_run(periodic_task_name=KEY, status=states.REVOKED, not_run_because=because, date_done=timezone.now())
    outcome = cancel(KEY, because="x")[KEY]
    assert not outcome.stopped
    assert outcome.words.startswith(words)


def test_an_unknown_key_was_not_planned() -> None:
    assert cancel(KEY, because="x")[KEY].words == "nothing was planned"


def test_the_newest_run_of_a_key_decides() -> None:
    make_run(
        task_id="old", periodic_task_name=KEY, status=states.REVOKED, not_run_because=Run.NotRun.CANCELLED
    )
    TaskResult.objects.update(date_created=timezone.now() - HOUR)
    make_run(task_id="new", periodic_task_name=KEY)
    assert cancel(KEY, because="x")[KEY].stopped


def test_each_key_has_its_own_outcome() -> None:
    plan("a", tasks.report, at=timezone.now())
    make_started(task_id="b", periodic_task_name="b")
    outcomes = cancel("a", "b", "c", because="x")
    assert {key: outcome.stopped for key, outcome in outcomes.items()} == {"a": True, "b": False, "c": False}


def test_statements_do_not_grow_with_the_keys(django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        make_one_off(f"planned:{number}/x", task=tasks.report.name, kwargs="{}")
        make_run(task_id=f"due-{number}", periodic_task_name=f"due:{number}/x")
    keys = [f"{kind}:{number}/x" for kind in ("planned", "due") for number in range(20)]
    with django_assert_max_num_queries(10):
        outcomes = cancel(*keys, because="x")
    assert all(outcome.stopped for outcome in outcomes.values())


def test_a_plan_whose_arguments_are_broken_can_be_cancelled() -> None:
    make_one_off(KEY, kwargs="{broken")
    assert cancel(KEY, because="x")[KEY].stopped


def test_cancelling_twice_at_the_same_moment_of_another_plan_keeps_both(time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    at = timezone.now() + HOUR
    for _ in range(2):
        plan(KEY, tasks.report, at=at)
        assert cancel(KEY, because="x")[KEY].stopped
    assert Run.objects.count() == 2


def test_cancel_runs_stops_those_that_wait() -> None:
    make_run(task_id="waits", hand_over_at=timezone.now())
    make_started(task_id="runs")
    assert cancel_runs(["waits", "runs", "unknown"], because="x") == {"waits"}
