from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule
from django_celery_results.models import TaskResult

from scheduling import schedules
from scheduling.code_schedules import sync_code_schedules
from scheduling.definitions import follow_edits
from scheduling.exceptions import InvalidPlan, NothingToSkip, OwnedByCode
from scheduling.models import Recurrence, RecurringTask
from scheduling.recurring import claim_occurrences
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.schedules import crontab

pytestmark = pytest.mark.django_db
GIVEN = {"recipients": ["a@shop.example"], "since": "2026-11-30"}
LEASE = timedelta(seconds=30)


def save(name: str = "Sales report", **fields: object) -> RecurringTask:
    return schedules.save_schedule(
        RecurringTask(name=name, task=tasks.send_report.name, **fields),
        timing=IntervalSchedule(every=1, period="hours"),
        kwargs=GIVEN,
        policies=schedules.Policies(late_by_seconds=300),
    )


def sync(**entry: object) -> RecurringTask:
    sync_code_schedules({"In code": {"task": tasks.report.name, "schedule": 60, **entry}})
    follow_edits(now=timezone.now())
    return RecurringTask.objects.get(name="In code")


def test_saving_tells_when_it_runs_next_and_fires_nothing() -> None:
    saved = save()
    assert saved.recurrence.next_due_at > timezone.now() + timedelta(minutes=59)
    assert saved.recurrence.late_by_seconds == 300
    assert not claim_occurrences(now=timezone.now(), lease=LEASE)


def test_saving_shares_an_equal_row_of_beats() -> None:
    save("One")
    save("Two")
    assert IntervalSchedule.objects.count() == 1


def test_saving_another_timing_takes_the_place_of_the_old_one() -> None:
    saved = save()
    changed = schedules.save_schedule(
        saved, timing=crontab("0 9 * * 1-5", "Europe/Berlin"), kwargs=GIVEN, policies=schedules.Policies()
    )
    assert changed.interval is None
    assert changed.crontab == CrontabSchedule.objects.get()


def test_saving_a_task_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(InvalidPlan, match="not among the tasks that staff may schedule"):
        schedules.save_schedule(
            RecurringTask(name="Sneaky", task=tasks.record.name),
            timing=IntervalSchedule(every=1, period="hours"),
            kwargs={"name": "x"},
            policies=schedules.Policies(),
        )


def test_saving_arguments_the_task_does_not_take_is_refused() -> None:
    with pytest.raises(InvalidPlan, match="since"):
        schedules.save_schedule(
            RecurringTask(name="Wrong", task=tasks.send_report.name),
            timing=IntervalSchedule(every=1, period="hours"),
            kwargs={**GIVEN, "since": "soon"},
            policies=schedules.Policies(),
        )


def test_run_now_runs_it_with_its_own_options_and_leaves_its_next_run() -> None:
    saved = save(queue="slow", expire_seconds=60, priority=3)
    run = schedules.run_now(saved, by="Ana")
    assert (run.kwargs, run.queue, run.planned_by) == (GIVEN, "slow", "Ana")
    assert run.options["priority"] == 3
    assert "expires" in run.options
    assert Recurrence.objects.get().next_due_at == saved.recurrence.next_due_at


def test_run_now_may_be_asked_for_twice() -> None:
    saved = save()
    schedules.run_now(saved, by="Ana")
    schedules.run_now(saved, by="Ana")
    assert TaskResult.objects.filter(periodic_task_name="Sales report").count() == 2


def test_run_now_of_broken_arguments_is_refused_in_words() -> None:
    saved = save()
    saved.kwargs = "{"
    with pytest.raises(InvalidPlan, match="not JSON"):
        schedules.run_now(saved, by="Ana")
    assert not TaskResult.objects.exists()


def test_a_paused_schedule_is_not_due() -> None:
    saved = save()
    schedules.pause(saved, reason="holidays")
    follow_edits(now=timezone.now())
    assert not claim_occurrences(now=timezone.now() + timedelta(days=1), lease=LEASE)
    assert Recurrence.objects.get().pause_reason == "holidays"


def test_a_schedule_paused_until_a_time_goes_on_by_itself() -> None:
    saved = save()
    schedules.pause(saved, reason="holidays", until=timezone.now() + timedelta(hours=1))
    follow_edits(now=timezone.now() + timedelta(hours=2))
    assert RecurringTask.objects.get().enabled


def test_resume_makes_nothing_up() -> None:
    saved = save()
    schedules.pause(saved, reason="holidays")
    resumed = schedules.resume(saved)
    assert resumed.recurrence.next_due_at > timezone.now() + timedelta(minutes=59)
    assert resumed.recurrence.pause_reason == ""


def test_skip_next_records_that_run_as_skipped_and_runs_the_one_after() -> None:
    saved = save(start_time=timezone.now() + timedelta(minutes=1))
    skipped = schedules.skip_next(saved)
    claim_occurrences(now=skipped + timedelta(seconds=1), lease=LEASE)
    [run] = claim_occurrences(now=skipped + timedelta(hours=1, seconds=1), lease=LEASE)
    assert TaskResult.objects.get(run__due_at=skipped).run.not_run_because == "skipped"
    assert run.due_at == skipped + timedelta(hours=1)


def test_skip_next_of_a_paused_schedule_says_there_is_none() -> None:
    saved = save()
    schedules.pause(saved, reason="holidays")
    with pytest.raises(NothingToSkip):
        schedules.skip_next(saved)


def test_a_copy_is_paused_and_keeps_everything_else() -> None:
    saved = save()
    schedules.duplicate(saved, name="Second report")
    copy = RecurringTask.objects.get(name="Second report")
    assert (copy.enabled, copy.kwargs, copy.interval) == (False, saved.kwargs, saved.interval)
    assert copy.recurrence.late_by_seconds == 300


def test_a_copy_needs_a_name_of_its_own() -> None:
    saved = save()
    with pytest.raises(InvalidPlan, match="Sales report"):
        schedules.duplicate(saved, name="Sales report")


def test_what_code_defines_can_be_paused_and_run_but_not_changed() -> None:
    owned = sync()
    schedules.run_now(owned, by="Ana")
    schedules.pause(owned, reason="too loud")
    sync()
    assert not RecurringTask.objects.get().enabled
    with pytest.raises(OwnedByCode):
        schedules.save_schedule(
            owned, timing=IntervalSchedule(every=1, period="days"), kwargs={}, policies=schedules.Policies()
        )


def test_what_is_taken_out_of_the_code_is_retired_until_code_names_it_again() -> None:
    owned = sync()
    sync_code_schedules({})
    owned = RecurringTask.objects.get()
    assert not owned.enabled
    with pytest.raises(OwnedByCode):
        schedules.resume(owned)
    assert sync().enabled
    assert not schedules.is_retired(RecurringTask.objects.get())
