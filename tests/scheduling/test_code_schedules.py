from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from scheduling.code_schedules import sync_code_schedules
from scheduling.definitions import follow_edits
from scheduling.models import Recurrence
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import make_recurring

pytestmark = pytest.mark.django_db


def entry(**fields: Any) -> dict[str, Any]:
    return {"task": tasks.report.name, "schedule": crontab(minute="0", hour="4"), **fields}


def test_a_schedule_in_code_becomes_a_periodic_task() -> None:
    sync_code_schedules({"Report": entry(description="for the books", kwargs={"x": 1})})
    row = PeriodicTask.objects.select_related("crontab", "recurrence").get()
    assert (row.name, row.task, row.description) == ("Report", tasks.report.name, "for the books")
    assert (row.kwargs, row.crontab.hour, row.enabled) == ('{"x": 1}', "4", True)
    assert row.recurrence.in_code


def test_its_policies_are_kept_beside_it() -> None:
    sync_code_schedules({"Report": entry(late_by_seconds=60, overlap="wait", spread_seconds=30)})
    rules = Recurrence.objects.get()
    assert (rules.late_by_seconds, rules.overlap, rules.spread_seconds) == (60, "wait", 30)


def test_a_change_in_code_is_brought_over() -> None:
    sync_code_schedules({"Report": entry()})
    sync_code_schedules({"Report": entry(schedule=crontab(minute="0", hour="5"))})
    assert PeriodicTask.objects.get().crontab.hour == "5"


def test_another_kind_of_schedule_is_brought_over() -> None:
    sync_code_schedules({"Report": entry()})
    sync_code_schedules({"Report": entry(schedule=timedelta(hours=1))})
    row = PeriodicTask.objects.get()
    assert row.crontab is None
    assert row.interval is not None


def test_starting_again_changes_nothing() -> None:
    sync_code_schedules({"Report": entry()})
    follow_edits(now=timezone.now())
    before = Recurrence.objects.get().next_due_at
    sync_code_schedules({"Report": entry()})
    assert follow_edits(now=timezone.now()) == 0
    assert Recurrence.objects.get().next_due_at == before
    assert CrontabSchedule.objects.count() == 1


def test_staff_decide_whether_it_is_paused() -> None:
    sync_code_schedules({"Report": entry()})
    PeriodicTask.objects.update(enabled=False)
    Recurrence.objects.update(pause_reason="stocktaking")
    sync_code_schedules({"Report": entry()})
    assert not PeriodicTask.objects.get().enabled
    assert Recurrence.objects.get().pause_reason == "stocktaking"


def test_one_taken_out_of_the_code_is_retired() -> None:
    sync_code_schedules({"Report": entry(), "Other": entry()})
    sync_code_schedules({"Other": entry()})
    row = PeriodicTask.objects.select_related("recurrence").get(name="Report")
    assert not row.enabled
    assert (row.recurrence.in_code, row.recurrence.pause_reason) == (False, "taken out of the code")
    assert PeriodicTask.objects.get(name="Other").enabled


def test_one_put_back_runs_again() -> None:
    sync_code_schedules({"Report": entry()})
    sync_code_schedules({})
    sync_code_schedules({"Report": entry()})
    row = PeriodicTask.objects.select_related("recurrence").get()
    assert row.enabled
    assert (row.recurrence.in_code, row.recurrence.pause_reason) == (True, "")


def test_schedules_that_staff_made_are_left_alone() -> None:
    schedule = make_recurring("by hand")
    follow_edits(now=timezone.now())
    sync_code_schedules({})
    schedule.refresh_from_db()
    assert schedule.enabled


def test_the_projects_own_schedules_are_valid(settings: Any) -> None:
    sync_code_schedules(settings.CELERY_BEAT_SCHEDULE)
    follow_edits(now=timezone.now())
    for row in PeriodicTask.objects.select_related("recurrence"):
        row.full_clean()
        assert row.recurrence.next_due_at is not None
