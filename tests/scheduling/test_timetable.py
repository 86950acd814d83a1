"""The timetable, above all on the days when clocks change.

What is right there is worked out by hand: every real minute of a weekend is asked what the clock
on the wall shows, and the written rule is applied to the answers.
"""

from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from scheduling.crontab import InvalidCrontab
from scheduling.timetable import clock_change, next_after, occurrences_between, upcoming
from tests.scheduling.schedules import by_clock, by_crontab, by_interval, by_sun

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN_SPRING = ("Europe/Berlin", date(2026, 3, 28))
BERLIN_AUTUMN = ("Europe/Berlin", date(2026, 10, 24))
WEEKENDS = [
    BERLIN_SPRING,
    BERLIN_AUTUMN,
    ("America/New_York", date(2026, 3, 7)),
    ("America/New_York", date(2026, 10, 31)),
    ("Australia/Lord_Howe", date(2026, 10, 3)),  # leaps half an hour
    ("Australia/Lord_Howe", date(2026, 4, 4)),
    ("America/Sao_Paulo", date(2018, 11, 3)),  # leaps over midnight
    ("America/Sao_Paulo", date(2018, 2, 17)),  # shows the last hour of Saturday twice
    ("America/Havana", date(2026, 10, 31)),  # shows midnight twice
    ("Antarctica/Troll", date(2026, 3, 28)),  # leaps two hours
    ("Antarctica/Troll", date(2026, 10, 24)),
    ("Asia/Kolkata", date(2026, 3, 28)),
    ("UTC", date(2026, 3, 28)),
]
EVERY_HOUR, EVERY_MINUTE = frozenset(range(24)), frozenset(range(60))


def minutes_of(zone: str, saturday: date) -> Iterator[datetime]:
    """Yield every real minute of a weekend, in UTC."""
    moment = datetime.combine(saturday, time(), ZoneInfo(zone)).astimezone(UTC)
    monday = datetime.combine(saturday + timedelta(days=2), time(), ZoneInfo(zone)).astimezone(UTC)
    while moment < monday:
        yield moment
        moment += timedelta(minutes=1)


def by_hand(zone: str, saturday: date, *, minutes: Set[int], hours: Set[int], star: bool) -> list[datetime]:
    """Apply the rule to each time that the wall clock must show on a weekend."""
    shown = defaultdict(list)
    for moment in minutes_of(zone, saturday):
        shown[moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)].append(moment)
    found = set()
    for day in (saturday, saturday + timedelta(days=1)):
        for wall in (datetime.combine(day, time(h, m)) for h in hours for m in minutes):
            if star:
                found.update(shown[wall])
            elif shown[wall]:
                found.add(shown[wall][0])
            else:
                found.add(min(moments[0] for later, moments in shown.items() if moments and later > wall))
    return sorted(found)


def computed(periodic_task: PeriodicTask, zone: str, saturday: date) -> list[datetime]:
    first, *_, last = minutes_of(zone, saturday)
    before = first - timedelta(minutes=1)
    return occurrences_between(periodic_task, after=before, until=last, limit=10_000).newest


@pytest.mark.parametrize(("zone", "saturday"), WEEKENDS)
@pytest.mark.parametrize(
    ("fields", "minutes", "hours", "star"),
    [
        ("0 * * * *", {0}, EVERY_HOUR, True),
        ("0 0-23 * * *", {0}, EVERY_HOUR, True),
        ("*/15 * * * *", {0, 15, 30, 45}, EVERY_HOUR, True),
        ("0 */2 * * *", {0}, set(range(0, 24, 2)), True),
        ("*/20 2 * * *", {0, 20, 40}, {2}, True),
        ("*/30 0 * * *", {0, 30}, {0}, True),
        ("* 1 * * *", EVERY_MINUTE, {1}, True),
        ("30 2 * * *", {30}, {2}, False),
        ("0 0 * * *", {0}, {0}, False),
        ("0 2,3 * * *", {0}, {2, 3}, False),
        ("15,45 1-3 * * *", {15, 45}, {1, 2, 3}, False),
        ("59 23 * * *", {59}, {23}, False),
    ],
)
def test_crontab_follows_the_rule_when_clocks_change(
    zone: str, saturday: date, fields: str, minutes: Set[int], hours: Set[int], star: bool
) -> None:
    expected = by_hand(zone, saturday, minutes=minutes, hours=hours, star=star)
    assert computed(by_crontab(fields, zone), zone, saturday) == expected


@given(
    weekend=st.sampled_from(WEEKENDS),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=6),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=23),
)
@settings(max_examples=60, deadline=None)
def test_any_named_times_come_once_a_day(
    weekend: tuple[str, date], minutes: set[int], hours: set[int]
) -> None:
    fields = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    expected = by_hand(*weekend, minutes=minutes, hours=hours, star=False)
    assert computed(by_crontab(fields, weekend[0]), *weekend) == expected


@pytest.mark.parametrize(("zone", "saturday"), WEEKENDS)
@pytest.mark.parametrize("fields", ["30 2 * * *", "0 * * * *", "*/20 1-3 * * *", "0 */2 * * *"])
def test_next_is_the_same_from_any_moment(fields: str, zone: str, saturday: date) -> None:
    periodic_task = by_crontab(fields, zone)
    for earlier, later in pairwise(computed(periodic_task, zone, saturday)):
        for moment in (earlier, earlier + timedelta(minutes=1), later - timedelta(microseconds=1)):
            assert next_after(periodic_task, moment) == later


@pytest.mark.parametrize(("weekend", "hours"), [(BERLIN_SPRING, 47), (BERLIN_AUTUMN, 49)])
def test_hourly_schedule_runs_in_every_real_hour_of_a_weekend(weekend: tuple[str, date], hours: int) -> None:
    occurrences = computed(by_crontab("0 * * * *", "Europe/Berlin"), *weekend)
    assert len(occurrences) == hours
    assert {later - earlier for earlier, later in pairwise(occurrences)} == {timedelta(hours=1)}


def test_time_that_comes_twice_runs_at_the_first() -> None:
    occurrences = computed(by_crontab("30 2 * * *", "Europe/Berlin"), *BERLIN_AUTUMN)
    assert occurrences == [datetime(2026, 10, day, 0, 30, tzinfo=UTC) for day in (24, 25)]


def test_time_the_clock_leaps_over_runs_right_after_the_leap() -> None:
    occurrences = computed(by_crontab("30 2 * * *", "Europe/Berlin"), *BERLIN_SPRING)
    assert occurrences == [datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)]


def test_day_of_month_and_day_of_week_must_both_match_as_in_celery() -> None:
    fridays_the_13th = upcoming(by_crontab("0 9 13 * 5"), after=NEW_YEAR, count=3)
    assert [moment.date() for moment in fridays_the_13th] == [
        date(2026, 2, 13),
        date(2026, 3, 13),
        date(2026, 11, 13),
    ]


def test_days_are_those_of_the_schedules_zone() -> None:
    monday = next_after(by_crontab("0 1 * * mon", "Asia/Kolkata"), NEW_YEAR)
    assert monday == datetime(2026, 1, 4, 19, 30, tzinfo=UTC)


def test_rare_date_is_found() -> None:
    leap_monday = next_after(by_crontab("0 0 29 2 1"), NEW_YEAR)
    assert leap_monday == datetime(2044, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("fields", ["0 0 30 2 *", "0 0 31 4,6 1"])
def test_date_that_never_comes_has_no_next(fields: str) -> None:
    assert next_after(by_crontab(fields), NEW_YEAR) is None


def test_unreadable_crontab_is_refused() -> None:
    with pytest.raises(InvalidCrontab):
        next_after(by_crontab("61 * * * *"), NEW_YEAR)


def test_interval_counts_from_the_moment_handed_in() -> None:
    moment = NEW_YEAR + timedelta(seconds=7)
    assert next_after(by_interval(10, "minutes"), moment) == moment + timedelta(minutes=10)


def test_interval_with_a_start_counts_from_there() -> None:
    periodic_task = by_interval(10, "minutes", start_time=NEW_YEAR)
    moment = NEW_YEAR + timedelta(days=3, minutes=4)
    assert next_after(periodic_task, moment) == NEW_YEAR + timedelta(days=3, minutes=10)


def test_interval_is_elapsed_time_whatever_the_clocks_do() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    next_day = next_after(by_interval(24, "hours", start_time=start), start)
    assert next_day == datetime(2026, 3, 29, 11, tzinfo=UTC)


@given(
    every=st.integers(1, 10_000),
    period=st.sampled_from(["days", "hours", "minutes", "seconds", "microseconds"]),
    started=st.timedeltas(timedelta(days=-400), timedelta(days=400)) | st.none(),
    passed=st.timedeltas(timedelta(0), timedelta(minutes=10)),
    limit=st.integers(0, 5),
)
@settings(max_examples=100, deadline=None)
def test_interval_lists_the_newest_of_all_that_came(
    every: int, period: str, started: timedelta | None, passed: timedelta, limit: int
) -> None:
    start_time = None if started is None else NEW_YEAR + started
    periodic_task = by_interval(every, period, start_time=start_time)
    until = NEW_YEAR + passed
    found = occurrences_between(periodic_task, after=NEW_YEAR, until=until, limit=limit)
    assert len(found.newest) == min(limit, found.total)
    if found.newest:
        assert next_after(periodic_task, found.newest[-1]) == found.newest[-1] + timedelta(**{period: every})
        assert found.newest[-1] <= until < found.newest[-1] + timedelta(**{period: every})
        assert found.newest[0] > NEW_YEAR


def test_interval_of_microseconds_is_counted_without_visiting_each() -> None:
    until = NEW_YEAR + timedelta(days=3)
    found = occurrences_between(by_interval(1, "microseconds"), after=NEW_YEAR, until=until, limit=1)
    assert found.newest == [until]
    assert found.total == 3 * 24 * 60 * 60 * 1_000_000


@pytest.mark.parametrize("every", [0, -5, 2_000_000_000])
def test_interval_beyond_reason_has_no_next(every: int) -> None:
    assert next_after(by_interval(every, "days"), NEW_YEAR) is None


def test_between_leaves_out_its_beginning_and_holds_its_end() -> None:
    until = NEW_YEAR + timedelta(hours=2)
    found = occurrences_between(by_crontab("0 * * * *"), after=NEW_YEAR, until=until, limit=10)
    assert found.newest == [NEW_YEAR + timedelta(hours=1), until]


def test_between_lists_the_newest_and_counts_the_earlier() -> None:
    until = NEW_YEAR + timedelta(days=3)
    found = occurrences_between(by_crontab("*/5 * * * *"), after=NEW_YEAR, until=until, limit=2)
    assert found.newest == [until - timedelta(minutes=5), until]
    assert (found.total, found.earlier) == (3 * 288, 3 * 288 - 2)


@pytest.mark.parametrize(
    "periodic_task", [by_crontab("0 9 * * *"), by_interval(1, "days")], ids=["crontab", "interval"]
)
def test_start_time_itself_is_the_first_occurrence(periodic_task: PeriodicTask) -> None:
    periodic_task.start_time = datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert next_after(periodic_task, NEW_YEAR) == periodic_task.start_time


@pytest.mark.parametrize(
    "periodic_task", [by_crontab("0 * * * *"), by_interval(1, "hours")], ids=["crontab", "interval"]
)
def test_expiry_is_the_last_occurrence(periodic_task: PeriodicTask) -> None:
    periodic_task.expires = NEW_YEAR + timedelta(hours=2)
    assert upcoming(periodic_task, after=NEW_YEAR, count=9)[-1] == periodic_task.expires
    assert next_after(periodic_task, periodic_task.expires) is None


@pytest.mark.parametrize(
    "periodic_task",
    [by_crontab("0 * * * *", one_off=True), by_interval(1, "hours", one_off=True)],
    ids=["crontab", "interval"],
)
def test_one_off_comes_once(periodic_task: PeriodicTask) -> None:
    first = NEW_YEAR + timedelta(hours=1)
    until = NEW_YEAR + timedelta(days=1)
    assert upcoming(periodic_task, after=NEW_YEAR, count=9) == [first]
    assert occurrences_between(periodic_task, after=NEW_YEAR, until=until, limit=9) == ([first], 1)


def test_clocked_comes_at_its_time_and_never_again() -> None:
    assert next_after(by_clock(NEW_YEAR), NEW_YEAR - timedelta(days=9)) == NEW_YEAR
    assert next_after(by_clock(NEW_YEAR), NEW_YEAR) is None


def test_without_a_schedule_nothing_comes() -> None:
    assert upcoming(PeriodicTask(), after=NEW_YEAR, count=9) == []


@pytest.mark.parametrize(
    ("event", "almanac"),
    [("sunrise", time(2, 43)), ("solar_noon", time(11, 8)), ("sunset", time(19, 33))],
)
def test_sun_of_midsummer_in_berlin_keeps_to_the_almanac(event: str, almanac: time) -> None:
    midsummer = datetime(2026, 6, 21, tzinfo=UTC)
    moment = next_after(by_sun(event, "52.52", "13.405"), midsummer)
    assert moment is not None
    assert abs(moment - datetime.combine(midsummer, almanac, UTC)) < timedelta(minutes=2)


@given(
    passed=st.timedeltas(timedelta(0), timedelta(days=365)),
    event=st.sampled_from(["sunrise", "sunset", "dusk_astronomical", "solar_noon"]),
    longitude=st.sampled_from(["-179.9", "-74", "0", "13.405", "179.9"]),
)
@settings(max_examples=60, deadline=None)
def test_solar_event_is_the_same_instant_whenever_it_is_asked_for(
    passed: timedelta, event: str, longitude: str
) -> None:
    periodic_task = by_sun(event, "40", longitude)
    first, second = upcoming(periodic_task, after=NEW_YEAR + passed, count=2)
    assert timedelta(hours=23) < second - first < timedelta(hours=25)
    assert next_after(periodic_task, first - timedelta(microseconds=1)) == first
    assert next_after(periodic_task, first) == second


@pytest.mark.parametrize("event", ["sunrise", "sunset", "dawn_civil", "dusk_astronomical", "solar_noon"])
@pytest.mark.parametrize("latitude", ["45", "60", "66.5", "69.65", "80", "-89"])
def test_solar_event_never_comes_twice_a_day(event: str, latitude: str) -> None:
    year = occurrences_between(
        by_sun(event, latitude, "18.96"), after=NEW_YEAR, until=NEW_YEAR + timedelta(days=800), limit=800
    )
    assert year.total > 0
    assert all(later - earlier > timedelta(hours=21) for earlier, later in pairwise(year.newest))


def test_solar_event_comes_every_day_for_years_to_the_second() -> None:
    days = upcoming(by_sun("sunset", "52.52", "13.405"), after=NEW_YEAR, count=800)
    assert [moment.date() for moment in days] == [date(2026, 1, 1) + timedelta(days=n) for n in range(800)]
    assert {moment.microsecond for moment in days} == {0}


def test_sun_that_does_not_set_is_waited_for() -> None:
    in_may, in_july = upcoming(
        by_sun("sunrise", "69.65", "18.96"), after=datetime(2026, 5, 17, 12, tzinfo=UTC), count=2
    )
    assert (in_may.date(), in_july.month) == (date(2026, 5, 17), 7)


def test_sun_at_the_pole_never_rises_as_elsewhere() -> None:
    assert next_after(by_sun("sunrise", "90", "0"), NEW_YEAR) is None


@pytest.mark.parametrize(("day", "change"), [("2026-03-29", 60), ("2026-03-30", 0), ("2026-10-25", -60)])
def test_day_on_which_clocks_change_is_told(day: str, change: int) -> None:
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC)
    assert clock_change(noon, ZoneInfo("Europe/Berlin")) == timedelta(minutes=change)


@pytest.mark.django_db
def test_saved_schedule_needs_no_further_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    schedule = CrontabSchedule.objects.create(minute="0", hour="9", timezone="Europe/Berlin")
    PeriodicTask.objects.create(name="report", task="report", crontab=schedule)
    periodic_task = PeriodicTask.objects.select_related("crontab").get()
    with django_assert_num_queries(0):
        assert next_after(periodic_task, NEW_YEAR) == NEW_YEAR + timedelta(hours=8)
