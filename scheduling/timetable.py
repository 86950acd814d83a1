"""When a periodic task is due.

Whatever zone a schedule is written in, its occurrences are computed and returned in UTC:

- An *interval* is elapsed time, so clocks that change do not touch it.
- A *crontab* follows Debian's cron through a change of the clocks. With a `*` in its minutes or
  hours it runs whenever the clock on the wall shows a time it names: an hourly one runs once in
  every real hour. Without, it runs at named times of day, each once a day: at the first of two,
  and where the clock leaps over it, at the first minute after the leap.
- A *solar* event is computed from its place on earth; near the poles it may stay away for months.
- *Clocked* is its one time.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from heapq import merge
from itertools import groupby, islice, takewhile, tee
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import ephem
from cronsim import CronSim
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from scheduling.crontab import Crontab, parse

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_POLAR_YEAR_DAYS = 366


class Occurrences(NamedTuple):
    """Occurrences of the past, of which only the newest are listed."""

    newest: list[datetime]
    total: int

    @property
    def earlier(self) -> int:
        """How many there were before the listed ones."""
        return self.total - len(self.newest)


def next_after(periodic_task: PeriodicTask, moment: datetime) -> datetime | None:
    """Return the first occurrence strictly after a moment, in UTC.

    An interval is counted from its start time; without one, from the moment, so that handing in
    each occurrence yields the next. A one-off has run once its first occurrence is past, which
    only the caller knows.

    Args:
        periodic_task: Saved or not; whether it is enabled plays no part.
        moment: Aware, in any zone.

    Returns:
        None when there is none: expired, clocked in the past, 30 February.

    Raises:
        InvalidCrontab: A field of its crontab cannot be read.
    """
    return next(_occurrences(periodic_task, after=moment), None)


def upcoming(periodic_task: PeriodicTask, *, after: datetime, count: int) -> list[datetime]:
    """Return the next occurrences, at most `count`, as `next_after` would one by one."""
    return list(islice(_occurrences(periodic_task, after=after), count))


def occurrences_between(
    periodic_task: PeriodicTask, *, after: datetime, until: datetime, limit: int
) -> Occurrences:
    """Return the newest occurrences in `(after, until]`, at most `limit`, and how many there were.

    An interval is counted by arithmetic, however long the time; those of a crontab one by one.
    """
    if isinstance(periodic_task.scheduler, IntervalSchedule):
        interval = _Interval.of(periodic_task, *_bounds(periodic_task, after, until))
        listed = interval.numbers[max(0, len(interval.numbers) - limit) :]
        return Occurrences([interval.at(number) for number in listed], total=len(interval.numbers))
    newest: deque[datetime] = deque(maxlen=limit)
    total = 0
    for occurrence in _occurrences(periodic_task, after=after, until=until):
        newest.append(occurrence)
        total += 1
    return Occurrences(list(newest), total)


def counted_through(periodic_task: PeriodicTask, known: datetime, *, since: datetime) -> PeriodicTask:
    """Return a schedule whose interval is counted through an occurrence that is known.

    Without a start time an interval is counted from whatever moment is asked about, which is not when
    it was due in the past.

    Args:
        known: one of its occurrences.
        since: from when on its occurrences are asked for.

    Returns:
        A copy, not to be saved; of another kind of schedule, itself.
    """
    if periodic_task.start_time or not isinstance(periodic_task.scheduler, IntervalSchedule):
        return periodic_task
    counted = copy(periodic_task)
    period = period_of(periodic_task.interval.every, periodic_task.interval.period)
    counted.start_time = known - (known - since) // period * period
    return counted


def period_of(every: int, unit: str) -> timedelta:
    """Return the time between two occurrences of an interval.

    Returns:
        The longest there is for zero, and for more than any calendar holds.
    """
    try:
        return timedelta(**{unit: every}) or timedelta.max
    except OverflowError:
        return timedelta.max


def clock_change(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far a zone's clocks move on the local day of a moment: +1 h in spring, -1 h in autumn."""
    midnight = datetime.combine(moment.astimezone(zone), time(), zone)
    next_midnight = midnight + timedelta(days=1)
    return timedelta(days=1) - (next_midnight.astimezone(UTC) - midnight.astimezone(UTC))


def _occurrences(
    periodic_task: PeriodicTask, *, after: datetime, until: datetime = _END_OF_TIME
) -> Iterator[datetime]:
    after, until = _bounds(periodic_task, after, until)
    match periodic_task.scheduler:
        case IntervalSchedule():
            found = iter(_Interval.of(periodic_task, after, until))
        case CrontabSchedule() as schedule:
            found = _crontab_occurrences(parse(schedule), after)
        case SolarSchedule() as schedule:
            found = _solar_occurrences(schedule, after)
        case ClockedSchedule(clocked_time=clocked_time):
            found = iter([clocked_time.astimezone(UTC)])
        case _:
            found = iter(())
    found = (occurrence for occurrence in found if occurrence > after)
    found = takewhile(lambda occurrence: occurrence <= until, found)
    return islice(found, 1) if periodic_task.one_off else found


def _bounds(periodic_task: PeriodicTask, after: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Narrow `(after, until]` to the schedule's own start, which counts, and expiry, which counts too."""
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    if periodic_task.start_time:
        after = max(after, periodic_task.start_time.astimezone(UTC) - datetime.resolution)
    if periodic_task.expires:
        until = min(until, periodic_task.expires.astimezone(UTC))
    return after, until


@dataclass(frozen=True, slots=True)
class _Interval:
    """The occurrences `anchor + number * period`."""

    anchor: datetime
    period: timedelta
    numbers: range

    @classmethod
    def of(cls, periodic_task: PeriodicTask, after: datetime, until: datetime) -> Self:
        """Number the occurrences in `(after, until]`, of which a one-off has only the first."""
        # In UTC: adding hours to a time in another zone would move the clock, not the time.
        anchor = (periodic_task.start_time or after).astimezone(UTC)
        period = period_of(periodic_task.interval.every, periodic_task.interval.period)
        first = max(0, (after - anchor) // period + 1)
        numbers = range(first, (until - anchor) // period + 1)
        return cls(anchor, period, numbers[:1] if periodic_task.one_off else numbers)

    def at(self, number: int) -> datetime:
        return self.anchor + number * self.period

    def __iter__(self) -> Iterator[datetime]:
        return map(self.at, self.numbers)


def _crontab_occurrences(crontab: Crontab, after: datetime) -> Iterator[datetime]:
    # cronsim walks only the clock on the wall. Given a zone, its 2.8 leaves out 02:00 on Lord Howe
    # Island when the clock goes back half an hour, runs at a midnight that São Paulo leaps over, and
    # answers the second 02:15 with the first 02:30.
    if not crontab.ever_comes:
        return iter(())
    walls = _walls(crontab, after)
    found = _whenever_shown(walls) if crontab.has_star else _once_a_day(walls)
    return (occurrence for occurrence, _ in groupby(found))


def _whenever_shown(walls: Iterator[datetime]) -> Iterator[datetime]:
    first_pass, second_pass = tee(filter(_exists, walls))
    return merge(
        (wall.astimezone(UTC) for wall in first_pass),
        (wall.replace(fold=1).astimezone(UTC) for wall in second_pass),
    )


def _once_a_day(walls: Iterator[datetime]) -> Iterator[datetime]:
    for wall in walls:
        while not _exists(wall):
            wall += timedelta(minutes=1)
        yield wall.astimezone(UTC)


def _walls(crontab: Crontab, after: datetime) -> Iterator[datetime]:
    """Yield what the clock on the wall must show, whether or not it ever does, from a moment on."""
    local = after.astimezone(crontab.zone)
    # In the first pass of an hour that comes twice, what was shown before will be shown again.
    shown_again = local.replace(fold=1).astimezone(UTC) - local.replace(fold=0).astimezone(UTC)
    clock = CronSim(crontab.expression, local.replace(tzinfo=None) - shown_again)
    # cron runs on a day that either field names, Celery on a day that both name.
    clock.day_and = True
    return (wall.replace(tzinfo=crontab.zone) for wall in clock)


def _exists(wall: datetime) -> bool:
    """Tell whether a clock ever shows this, or leaps over it."""
    return wall.astimezone(UTC).astimezone(wall.tzinfo) == wall


def _solar_occurrences(schedule: SolarSchedule, after: datetime) -> Iterator[datetime]:
    """Yield one event a day, until there has been none for a year.

    Each is looked for from the midnight before it, so that it is the same instant to the second
    whoever asks, and whenever: ephem's answer moves by milliseconds with where the search begins.
    """
    solar = schedule.schedule
    find = getattr(solar.cal, solar.method)
    options = {"use_center": True} if solar.use_center else {}
    east = timedelta(days=float(schedule.longitude) / 360)
    midnight = datetime.combine(after + east, time(), UTC) - east
    days_without = 0
    while days_without < _POLAR_YEAR_DAYS:
        next_midnight = midnight + timedelta(days=1)
        days_without += 1
        with suppress(ephem.CircumpolarError):
            event = find(ephem.Sun(), start=midnight, **options).datetime().replace(microsecond=0, tzinfo=UTC)
            if event < next_midnight:
                days_without = 0
                yield event
        midnight = next_midnight
