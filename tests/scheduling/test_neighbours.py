"""What else is due in a minute, also in one that is far ahead."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, SolarSchedule

from scheduling.definitions import follow_edits
from scheduling.neighbours import due_in_minute_of
from tests.scheduling.factories import MINUTE, make_crontab, make_one_off, make_recurring

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 5, 1, 10, tzinfo=UTC)
MONDAY = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(FRIDAY, tick=False)
    return time_machine


def count(at: datetime = MONDAY, *, besides: int | None = None, at_most: int = 100) -> int:
    follow_edits(now=timezone.now())
    return due_in_minute_of(at, besides=besides, at_most=at_most)


def test_one_that_runs_before_and_then_is_counted() -> None:
    make_recurring("daily", crontab=make_crontab(hour="9"))
    make_recurring("hourly", every=3600, start_time=FRIDAY)
    assert count() == 2
    assert count(MONDAY + MINUTE) == 0


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_one_is_counted_at_the_hour_of_its_own_zone(zone: str) -> None:
    make_recurring("daily", crontab=make_crontab(minute="45", hour="14", timezone=zone))
    follow_edits(now=timezone.now())
    [due_at] = PeriodicTask.objects.values_list("recurrence__next_due_at", flat=True)
    assert count(due_at + timedelta(days=3)) == 1


def test_delayed_tasks_are_counted() -> None:
    make_one_off(at=MONDAY + timedelta(seconds=59))
    make_one_off("order:2/reminder", at=MONDAY + MINUTE)
    assert count() == 1


def test_what_has_ended_by_then_is_not_counted() -> None:
    make_recurring("ended", every=3600, start_time=FRIDAY, expires=MONDAY - MINUTE)
    make_recurring("ended too", crontab=make_crontab(hour="9"), expires=MONDAY - MINUTE)
    assert count() == 0


def test_what_is_paused_or_unreadable_is_not_counted() -> None:
    make_recurring("paused", crontab=make_crontab(hour="9"), enabled=False)
    make_recurring("nonsense", crontab=make_crontab(hour="9"))
    follow_edits(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = %s", ["Mars/Olympus"])
    assert due_in_minute_of(MONDAY, besides=None, at_most=100) == 0


def test_the_sun_is_followed_too() -> None:
    sunrise = SolarSchedule.objects.create(event="sunrise", latitude="52.5", longitude="13.4")
    PeriodicTask.objects.create(name="at sunrise", task="none", solar=sunrise)
    follow_edits(now=timezone.now())
    [due_at] = PeriodicTask.objects.values_list("recurrence__next_due_at", flat=True)
    assert count(due_at) == 1


def test_the_schedule_itself_is_not_its_own_neighbour() -> None:
    row = make_recurring("daily", crontab=make_crontab(hour="9"))
    assert count(besides=row.pk) == 0


def test_counting_ends_somewhere() -> None:
    for number in range(5):
        make_recurring(f"daily {number}", crontab=make_crontab(hour="9"))
    assert count(at_most=3) == 3


def test_many_take_as_many_statements_as_one() -> None:
    make_recurring("daily", crontab=make_crontab(hour="9"))
    follow_edits(now=timezone.now())
    with CaptureQueriesContext(connection) as for_one:
        due_in_minute_of(MONDAY, besides=None, at_most=100)
    for number in range(20):
        make_recurring(f"daily {number}", crontab=make_crontab(hour="9"))
        make_recurring(f"hourly {number}", every=3600, start_time=FRIDAY)
    follow_edits(now=timezone.now())
    with CaptureQueriesContext(connection) as for_many:
        due_in_minute_of(MONDAY, besides=None, at_most=100)
    assert len(for_many) == len(for_one) == 3
