from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from scheduling import definitions
from scheduling.definitions import follow_edits
from scheduling.models import Recurrence
from scheduling.recurring import claim_occurrences
from tests.scheduling.factories import DAY, HOUR, MINUTE, SECOND, make_crontab, make_one_off, make_recurring

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(START, tick=False)
    return time_machine


def follow() -> int:
    return follow_edits(now=timezone.now())


def next_due() -> datetime | None:
    return Recurrence.objects.get().next_due_at


def test_a_new_schedule_is_due_after_it_was_made(clock: Any) -> None:
    make_recurring(every=60)
    clock.shift(SECOND)
    assert follow() == 1
    assert next_due() == START + MINUTE


def test_one_made_while_no_scheduler_ran_is_not_forgotten(clock: Any) -> None:
    make_recurring(crontab=make_crontab(hour="11"))
    clock.shift(2 * HOUR)
    follow()
    assert next_due() == START + HOUR


def test_what_was_followed_is_left_alone(clock: Any) -> None:
    make_recurring(every=60)
    follow()
    clock.shift(30 * SECOND)
    assert follow() == 0
    assert next_due() == START + MINUTE


def test_looking_costs_two_statements_whatever_the_number(django_assert_num_queries: Any) -> None:
    for number in range(20):
        make_recurring(f"schedule {number}")
    follow()
    with django_assert_num_queries(4):  # with the savepoint of the first
        follow()


def test_delayed_runs_are_not_its_business() -> None:
    make_one_off()
    assert follow() == 0
    assert not Recurrence.objects.exists()


def by_save(row: Any, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


def by_update(row: Any, **changes: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**changes)


def by_sql(row: Any, **changes: Any) -> None:
    with connection.cursor() as cursor:
        for name, value in changes.items():
            cursor.execute(f"UPDATE {row._meta.db_table} SET {name} = %s WHERE id = %s", [value, row.pk])


EDITS = pytest.mark.parametrize("edit", [by_save, by_update, by_sql])


@EDITS
def test_an_edit_of_an_interval_is_followed(clock: Any, edit: Any) -> None:
    schedule = make_recurring(every=60)
    follow()
    clock.shift(10 * SECOND)
    edit(IntervalSchedule.objects.get(pk=schedule.interval_id), every=3600)
    clock.shift(SECOND)
    assert follow() == 1
    due = next_due()
    assert due is not None
    assert START + HOUR < due <= START + HOUR + 11 * SECOND


@EDITS
def test_an_edit_of_a_crontab_is_followed(edit: Any) -> None:
    make_recurring(crontab=make_crontab(hour="23"))
    follow()
    edit(CrontabSchedule.objects.get(), hour="11")
    assert follow() == 1
    assert next_due() == START + HOUR


def test_another_time_zone_is_followed() -> None:
    make_recurring(crontab=make_crontab(hour="23"))
    follow()
    CrontabSchedule.objects.update(timezone="Europe/Berlin")
    follow()
    assert next_due() == START.replace(hour=21)


@EDITS
def test_a_pause_is_followed(edit: Any) -> None:
    schedule = make_recurring(every=60)
    follow()
    edit(schedule, enabled=False)
    follow()
    assert next_due() is None


@EDITS
def test_resuming_never_runs_it_at_once(clock: Any, edit: Any) -> None:
    schedule = make_recurring(crontab=make_crontab(hour="11"), enabled=False)
    follow()
    clock.shift(2 * HOUR)
    edit(schedule, enabled=True)
    follow()
    assert next_due() == START + HOUR + DAY
    assert claim_occurrences(now=timezone.now(), lease=MINUTE) == []


@EDITS
def test_resuming_after_a_change_of_words_never_runs_it_at_once(clock: Any, edit: Any) -> None:
    schedule = make_recurring(crontab=make_crontab(hour="11"), enabled=False)
    follow()
    clock.shift(MINUTE)
    by_save(schedule, description="other words")
    follow()
    clock.shift(2 * HOUR)
    edit(schedule, enabled=True)
    follow()
    assert next_due() == START + HOUR + DAY


def test_an_edit_saved_while_no_scheduler_ran_counts_from_when_it_was_made(clock: Any) -> None:
    make_recurring(crontab=make_crontab(hour="23"))
    follow()
    clock.shift(MINUTE)
    schedule = PeriodicTask.objects.get()
    by_save(schedule, crontab=make_crontab(hour="11"))
    clock.shift(3 * HOUR)
    follow()
    assert next_due() == START + HOUR


def test_an_edit_saved_where_the_clock_is_ahead_counts_from_when_it_was_noticed(clock: Any) -> None:
    make_recurring(every=3600)
    follow()
    clock.shift(HOUR)
    by_save(PeriodicTask.objects.get(), interval=IntervalSchedule.objects.create(every=60, period="seconds"))
    clock.shift(-HOUR + SECOND)
    follow()
    assert next_due() == START + SECOND + MINUTE


@pytest.mark.parametrize("changes", [{"start_time": START + 5 * HOUR}, {"expires": START + SECOND}])
def test_its_start_and_its_end_are_followed(changes: dict[str, Any]) -> None:
    schedule = make_recurring(every=60)
    follow()
    by_update(schedule, **changes)
    follow()
    assert next_due() == changes.get("start_time")


def test_a_crontab_that_cannot_be_read_is_never_due_and_blocks_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_recurring("bad", crontab=make_crontab())
    make_recurring("good", every=60)
    CrontabSchedule.objects.update(hour="25")
    follow()
    assert Recurrence.objects.get(periodic_task__name="bad").next_due_at is None
    assert Recurrence.objects.get(periodic_task__name="good").next_due_at == START + MINUTE
    assert "bad is never due" in caplog.text


def test_a_time_zone_nobody_knows_blocks_no_other_work(clock: Any) -> None:
    broken = make_recurring("broken", crontab=make_crontab(hour="11"))
    make_recurring("sound", every=60)
    follow()
    zone = f"UPDATE {CrontabSchedule._meta.db_table} SET timezone = %s"
    with connection.cursor() as cursor:
        cursor.execute(zone, ["Mars/Olympus"])
    clock.shift(2 * HOUR)
    follow()
    runs = claim_occurrences(now=timezone.now(), lease=MINUTE)
    assert {run.task_result.periodic_task_name for run in runs} == {"sound"}
    with connection.cursor() as cursor:
        cursor.execute(zone, ["UTC"])
    follow()
    assert Recurrence.objects.get(pk=broken.pk).next_due_at == START + DAY + HOUR


def test_a_schedule_of_no_kind_is_never_due() -> None:
    make_recurring()
    PeriodicTask.objects.update(interval=None)
    follow()
    assert next_due() is None


def test_a_pause_ends_when_it_was_to_end(clock: Any) -> None:
    schedule = make_recurring(crontab=make_crontab(hour="11"), enabled=False)
    follow()
    Recurrence.objects.update(paused_until=START + 2 * HOUR, pause_reason="stocktaking")
    clock.shift(2 * HOUR - SECOND)
    follow()
    schedule.refresh_from_db()
    assert not schedule.enabled
    clock.shift(SECOND)
    follow()
    schedule.refresh_from_db()
    assert schedule.enabled
    recurrence = Recurrence.objects.get()
    assert (recurrence.paused_until, recurrence.pause_reason) == (None, "")
    assert recurrence.next_due_at == START + HOUR + DAY


def test_of_two_schedulers_that_see_an_edit_the_second_changes_nothing(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = make_recurring(every=60)
    follow()
    by_update(IntervalSchedule.objects.get(pk=schedule.interval_id), every=3600)
    late = PeriodicTask.objects.select_related("recurrence", "interval").get()
    follow()
    Recurrence.objects.update(next_due_at=START + 2 * HOUR)
    definitions.follow(late, now=timezone.now())
    assert next_due() == START + 2 * HOUR
