"""Rows that no code can read, as SQL may write them: times before all time, and no times at all."""

from datetime import timedelta
from typing import Any

import pytest
from celery import states
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.definitions import follow_edits
from scheduling.due import claim_due
from scheduling.handover import lease_due
from scheduling.models import Recurrence, Run
from scheduling.planning import plan
from scheduling.recurring import claim_occurrences
from scheduling.rerunning import Again, run_again
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import MINUTE, SECOND, make_due, make_recurring, make_run, result_of

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
UNREADABLE = {"postgresql": "-infinity", "sqlite": "1999-99-99 00:00:00"}


def spoil(model: type[Model], column: str, pk: Any) -> None:
    """Write what no code can read into a column of a row, past everything that would refuse it."""
    statement = f"UPDATE {model._meta.db_table} SET {column} = %s WHERE {model._meta.pk.column} = %s"
    with connection.cursor() as cursor:
        cursor.execute(statement, [UNREADABLE[connection.vendor], pk])


def claim() -> list[Run]:
    return list(claim_due(now=timezone.now(), lease=LEASE))


def plan_one_that_cannot_be_read(column: str) -> None:
    for name in ("bad", "good"):
        plan(f"order:1/{name}", tasks.record, at=timezone.now(), kwargs={"name": name})
    bad = PeriodicTask.objects.get(name="order:1/bad")
    if column == "clocked_time":
        spoil(ClockedSchedule, column, bad.clocked_id)
    else:
        spoil(PeriodicTask, column, bad.pk)


@pytest.mark.parametrize("column", ["clocked_time", "expires"])
def test_a_delayed_run_that_cannot_be_read_blocks_no_other(column: str) -> None:
    plan_one_that_cannot_be_read(column)
    assert [run.task_result.periodic_task_name for run in claim()] == ["order:1/good"]
    assert not PeriodicTask.objects.exists()
    assert not ClockedSchedule.objects.exists()


def test_it_ends_as_failed_in_words_and_can_be_run_again() -> None:
    plan_one_that_cannot_be_read("clocked_time")
    claim()
    failed = Run.objects.select_related("task_result").get(task_result__status=states.FAILURE)
    assert failed.subject == "order:1"
    assert "Its row in the database cannot be read" in str(result_of(failed).result)
    assert run_again(failed.pk, how=Again(by="ann", token="1")).kwargs == {"name": "bad"}


def test_a_schedule_that_cannot_be_read_blocks_no_other(caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()
    bad = make_recurring("bad")
    for schedule in (bad, make_recurring("good")):
        make_due(schedule, now - SECOND)
    spoil(PeriodicTask, "expires", bad.pk)
    follow_edits(now=now)
    runs = claim_occurrences(now=now, lease=LEASE)
    assert [run.task_result.periodic_task_name for run in runs] == ["good"]
    assert Recurrence.objects.get(pk=bad.pk).next_due_at is None
    assert f"Periodic task {bad.pk} is never due" in caplog.text


def test_one_that_is_mended_is_due_again() -> None:
    bad = make_recurring("bad", every=60)
    make_due(bad, timezone.now() + MINUTE)
    spoil(PeriodicTask, "expires", bad.pk)
    follow_edits(now=timezone.now())
    PeriodicTask.objects.update(expires=None)
    follow_edits(now=timezone.now())
    assert Recurrence.objects.get().next_due_at is not None


def test_an_interval_of_no_known_unit_blocks_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bad = make_recurring("bad", every=5)
    make_recurring("good", every=60)
    IntervalSchedule.objects.filter(pk=bad.interval_id).update(period="fortnights")
    follow_edits(now=timezone.now())
    assert Recurrence.objects.get(next_due_at__isnull=False).periodic_task.name == "good"
    assert "bad is never due" in caplog.text


def test_a_run_that_cannot_be_read_blocks_no_other() -> None:
    bad, good = (
        make_run(tasks.report, task_id=task_id, hand_over_at=timezone.now()) for task_id in ("bad", "good")
    )
    spoil(Run, "due_at", bad.pk)
    assert lease_due(now=timezone.now()) == [good]
    result = TaskResult.objects.get(task_id="bad")
    assert result.status == states.FAILURE
    assert "Its row in the database cannot be read" in str(result.result)
