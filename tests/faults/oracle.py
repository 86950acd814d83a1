"""When a crontab is due, by walking through every real minute: slow, and nothing shared with the code.

Debian's cron is the rule. With a `*` in minutes or hours, a crontab is due whenever the clock on the
wall shows what it names. Without, it names times of day: each is due once, at the first of two, and
at the first minute after it where the clock leaps over it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Cron:
    """A crontab of minutes, hours and days of the week, in a zone."""

    minute: str
    hour: str
    day_of_week: str
    zone: str

    def shows(self, wall: datetime) -> bool:
        """Whether it names what the clock on the wall shows."""
        weekday = wall.isoweekday() % 7
        return (
            _names(self.minute, wall.minute)
            and _names(self.hour, wall.hour)
            and _names(self.day_of_week, weekday)
        )

    @lru_cache(maxsize=64)  # noqa: B019
    def between(self, begin: datetime, end: datetime) -> set[datetime]:
        """Return its occurrences in `(begin, end]`."""
        find = self._whenever_shown if "*" in self.minute + self.hour else self._once_a_day
        return {moment for moment in find(begin - DAY, end + DAY) if begin < moment <= end}

    def _whenever_shown(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        return (moment for moment, wall in _walk(self.zone, begin, end) if self.shows(wall))

    def _once_a_day(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        shown = _walk(self.zone, begin, end)
        walls = {wall: moment for moment, wall in reversed(shown)}
        wall, last = shown[0][1], shown[-1][1]
        while wall < last:
            if self.shows(wall):
                yield walls.get(wall) or next(moment for moment, later in shown if later > wall)
            wall += MINUTE


@lru_cache(maxsize=8)
def _walk(zone: str, begin: datetime, end: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Return every real minute with what the clock on the wall shows then."""
    clock = ZoneInfo(zone)
    first = begin.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = (first + number * MINUTE for number in range((end - first) // MINUTE + 1))
    return [(moment, moment.astimezone(clock).replace(tzinfo=None)) for moment in minutes]


def every(period: timedelta, *, anchor: datetime) -> Callable[[datetime, datetime], set[datetime]]:
    """Return the occurrences of an interval in `(begin, end]`, by counting up from its anchor."""

    def between(begin: datetime, end: datetime) -> set[datetime]:
        found, moment = set(), anchor
        while moment <= end:
            if moment > begin:
                found.add(moment)
            moment += period
        return found

    return between


def _names(field: str, number: int) -> bool:
    return any(_part_names(part, number) for part in field.split(","))


def _part_names(part: str, number: int) -> bool:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if span == "*":
        return number % int(step or 1) == 0
    return int(first) <= number <= int(last or first)
