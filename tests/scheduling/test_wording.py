from datetime import UTC, datetime

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from scheduling.wording import in_words
from tests.scheduling.schedules import by_clock, by_crontab, by_interval, by_sun

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/25 * * * *", "0, 25 and 50 minutes past every hour"),
        ("0 * * * *", "every hour"),
        ("5,20 * * * *", "5 and 20 minutes past every hour"),
        ("30 2 * * *", "every day at 02:30, Berlin time"),
        ("0 9 * * mon-fri", "every weekday at 09:00, Berlin time"),
        ("0 9,18 * * 6,7", "every Saturday and Sunday at 09:00 and 18:00, Berlin time"),
        ("0 9 * * 1-6", "every day except Sunday at 09:00, Berlin time"),
        ("0 9 * 12 *", "every day in December at 09:00, Berlin time"),
        ("*/15 9-17 * * 1-5", "every weekday, every 15 minutes from 09:00 to 17:45, Berlin time"),
        ("0 9-17 * * *", "every hour from 09:00 to 17:00, Berlin time"),
        ("0 */2 * * *", "every 2 hours, Berlin time"),
        ("30 */2 * * *", "every 2 hours from 00:30 to 22:30, Berlin time"),
        ("0 */5 * * *", "every 5 hours from 00:00 to 20:00, Berlin time"),
        ("0 1,5,6,9,20 * * *", "every day at 01:00, 05:00, 06:00, 09:00 and 20:00, Berlin time"),
        ("*/20 8,10,16 * * *", "every 20 minutes in the hours 08, 10 and 16, Berlin time"),
        ("0 6 1,15 * *", "on the 1st and 15th of every month at 06:00, Berlin time"),
        ("0 6 10-20 * *", "on the 10th to 20th of every month at 06:00, Berlin time"),
        ("0 6 */3 * *", "on every 3rd day from the 1st to the 31st of every month at 06:00, Berlin time"),
        ("0 0 25 12 *", "on the 25th of December at 00:00, Berlin time"),
        ("0 9 8-14 * 1", "on the second Monday of every month at 09:00, Berlin time"),
        ("0 9 13 * 5,7", "on the 13th of every month if it is a Friday or Sunday at 09:00, Berlin time"),
    ],
)
def test_crontab_reads_as_a_person_would_say_it(fields: str, words: str) -> None:
    assert in_words(by_crontab(fields, "Europe/Berlin")) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [("UTC", "UTC"), ("America/New_York", "New York time"), ("Etc/GMT+5", "Etc/GMT+5")],
)
def test_zone_is_named_by_its_place(zone: str, words: str) -> None:
    assert in_words(by_crontab("0 9 * * *", zone)) == f"every day at 09:00, {words}"


@pytest.mark.parametrize(
    ("every", "period", "words"),
    [(10, "minutes", "every 10 minutes"), (1, "hours", "every hour"), (7, "days", "every 7 days")],
)
def test_interval_in_words(every: int, period: str, words: str) -> None:
    assert in_words(by_interval(every, period)) == words


def test_clocked_is_told_in_the_readers_zone() -> None:
    with timezone.override("Asia/Kolkata"):
        assert in_words(by_clock(datetime(2026, 11, 12, 14, tzinfo=UTC))) == "once, 12 Nov 2026 19:30"


def test_solar_event_is_told_with_its_place() -> None:
    words = "at civil dawn at 33.8688° S, 151.209° E"
    assert in_words(by_sun("dawn_civil", "-33.868800", "151.209300")) == words


def test_start_and_end_are_told_in_the_zone_of_the_crontab() -> None:
    periodic_task = by_crontab(
        "0 9 * * *", "America/New_York", start_time=NEW_YEAR, expires=datetime(2026, 7, 1, tzinfo=UTC)
    )
    assert in_words(periodic_task) == (
        "every day at 09:00, New York time, from 31 Dec 2025 19:00, until 30 Jun 2026 20:00"
    )


def test_recurring_one_off_runs_the_first_time_only() -> None:
    assert in_words(by_interval(2, "hours", one_off=True)) == "every 2 hours, the first time only"


def test_unreadable_crontab_is_told_and_breaks_nothing() -> None:
    assert in_words(by_crontab("61 9 * * *")).startswith("unreadable crontab: 61 9 * * *")


def test_periodic_task_without_a_schedule_says_so() -> None:
    assert in_words(PeriodicTask()) == "no schedule"
