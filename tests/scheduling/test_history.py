"""The history of one schedule: every expected occurrence, in pages that meet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.definitions import follow_edits, recurring
from scheduling.history import History, Occurrence, Page, Place
from scheduling.models import Recurrence
from scheduling.recurring import claim_occurrences
from tests.scheduling.factories import HOUR, MINUTE, SECOND, make_crontab, make_recurring, make_run

pytestmark = pytest.mark.django_db
START = datetime(2026, 5, 1, 10, tzinfo=UTC)
LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)
SIZE = 5


def followed(**fields: Any) -> PeriodicTask:
    """Make a schedule that is followed from the start on."""
    make_recurring(**fields)
    PeriodicTask.objects.update(date_changed=START)
    follow_edits(now=START + SECOND / 4)
    return PeriodicTask.objects.get()


def claim_each_minute(minutes: int, *, after: datetime = START) -> None:
    for minute in range(1, minutes + 1):
        claim_occurrences(now=after + minute * MINUTE + SECOND / 2, lease=LEASE)
        TaskResult.objects.update(status="SUCCESS")


def history(schedule: PeriodicTask, *, now: datetime) -> History:
    return History(periodic_task=recurring().get(pk=schedule.pk), now=now, kept=KEPT, size=SIZE)


def pages(of: History) -> Iterator[Page]:
    """Go from the newest page to the oldest."""
    page = of.newest()
    yield page
    while page.older:
        page = of.before(page.older)
        yield page


def told(page: Page) -> list[tuple[int, str]]:
    """Return for each occurrence its minute since the start, and whether there is a run."""
    return [((one.due_at - START) // MINUTE, words(one)) for one in page.occurrences]


def words(occurrence: Occurrence) -> str:
    return "awaited" if occurrence.awaited else "run" if occurrence.run else "none"


def test_an_interval_is_expected_when_it_was_due_and_at_no_other_time() -> None:
    schedule = followed(every=60)
    claim_each_minute(3)
    page = history(schedule, now=START + 3 * MINUTE + SECOND).newest()
    assert told(page) == [(3, "run"), (2, "run"), (1, "run")]


@pytest.mark.parametrize("fields", [{"every": 60}, {"crontab": "* * * * *"}], ids=["interval", "crontab"])
def test_pages_meet_and_leave_nothing_out(fields: dict[str, Any]) -> None:
    if "crontab" in fields:
        fields = {"crontab": make_crontab(minute="*", hour="*")}
    schedule = followed(**fields)
    claim_each_minute(23)
    TaskResult.objects.filter(run__due_at__in=[START + minute * MINUTE for minute in (4, 5, 11)]).delete()
    whole = [
        item for page in pages(history(schedule, now=START + 23 * MINUTE + SECOND)) for item in told(page)
    ]
    assert whole == [(minute, "none" if minute in (4, 5, 11) else "run") for minute in range(23, 0, -1)]


def test_newer_leads_back_over_the_same_pages() -> None:
    schedule = followed(every=60)
    claim_each_minute(23)
    of = history(schedule, now=START + 23 * MINUTE + SECOND)
    shown = [told(page) for page in pages(of)]
    page = list(pages(of))[-1]
    back = [told(page)]
    while page.newer:
        page = of.after(page.newer)
        back.append(told(page))
    assert back == shown[::-1]


def test_what_is_due_and_not_taken_up_is_awaited() -> None:
    schedule = followed(every=60)
    page = history(schedule, now=START + MINUTE + SECOND).newest()
    assert told(page) == [(1, "awaited")]


def test_what_was_noticed_late_has_its_record_wherever_that_stands() -> None:
    schedule = followed(every=60)
    Recurrence.objects.update(late_by_seconds=60)
    make_run(task_id="by hand", due_at=START + 3 * MINUTE + SECOND, periodic_task_name=schedule.name)
    claim_occurrences(now=START + 8 * MINUTE + SECOND, lease=LEASE)
    whole = [
        item for page in pages(history(schedule, now=START + 8 * MINUTE + SECOND)) for item in told(page)
    ]
    assert sorted(whole) == sorted([(minute, "run") for minute in (1, 2, 3, 3, 4, 5, 6, 7, 8)])


def test_a_paused_schedule_shows_its_runs_and_expects_none() -> None:
    schedule = followed(every=60)
    claim_each_minute(2)
    PeriodicTask.objects.update(enabled=False)
    page = history(schedule, now=START + HOUR).newest()
    assert told(page) == [(2, "run"), (1, "run")]


def test_nothing_is_expected_from_before_the_last_edit_or_from_when_records_are_deleted() -> None:
    schedule = followed(every=60)
    now = START + timedelta(days=60)
    Recurrence.objects.update(next_due_at=now + SECOND)
    of = history(schedule, now=now)
    *_, oldest = pages(History(periodic_task=of.periodic_task, now=now, kept=10 * MINUTE, size=SIZE))
    assert oldest.occurrences[-1].due_at > now - 10 * MINUTE
    Recurrence.objects.update(defined_at=now - 3 * MINUTE)
    assert len(history(schedule, now=now).newest().occurrences) == 3


def test_a_page_far_back_takes_as_many_statements_and_reads_no_more_rows() -> None:
    schedule = followed(every=60)
    claim_each_minute(40)
    of = history(schedule, now=START + 40 * MINUTE + SECOND)
    with CaptureQueriesContext(connection) as first:
        page = of.newest()
    for _ in range(6):
        assert page.older
        page = of.before(page.older)
    assert page.older
    with CaptureQueriesContext(connection) as seventh:
        of.before(page.older)
    assert len(seventh) == len(first) == 1
    assert f"LIMIT {SIZE + 1}" in seventh[0]["sql"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "_",
        "7_yesterday",
        "x_20260501T100000.000000",
        "7_00010101T000000.000000",
        "0_20260501T100000.000000",
        f"{2**63}_20260501T100000.000000",
    ],
)
def test_an_address_that_names_no_place_is_not_minded(text: str) -> None:
    assert Place.read(text) is None


@pytest.mark.parametrize("far", [datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_a_place_far_away_shows_nothing_that_never_was(far: datetime) -> None:
    schedule = followed(every=60)
    claim_each_minute(2)
    of = history(schedule, now=START + 2 * MINUTE + SECOND)
    shown = [told(of.before(Place(far, 2**63 - 1))), told(of.after(Place(far, 1)))]
    assert all({words for _, words in page} <= {"run"} for page in shown)


def test_a_place_is_read_as_it_was_written() -> None:
    place = Place(START + SECOND / 3, 42)
    assert Place.read(str(place)) == place
