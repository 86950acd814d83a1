"""The period a dashboard looks at, and the one before it that it is compared with."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date

PRESETS = {"today": ("Today", 1), "7": ("7 days", 7), "30": ("30 days", 30)}
LONGEST_DAYS = 366


@dataclass(frozen=True)
class Period:
    """Whole days in the site's time zone, the last one included."""

    first_on: date
    last_on: date
    name: str = "custom"

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last_on - self.first_on).days + 1

    @property
    def start(self) -> datetime:
        """The first moment."""
        return _midnight(self.first_on)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.last_on + timedelta(days=1))

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(self.first_on - timedelta(days=self.days), self.first_on - timedelta(days=1))

    def each_day(self) -> list[date]:
        """Return its days, first to last."""
        return [self.first_on + timedelta(days=passed) for passed in range(self.days)]


def chosen_period(name: str, first: str, last: str) -> Period:
    """Return the period an address asks for, today where it asks for none that makes sense.

    Args:
        name: a preset's, or "custom".
        first: for a custom period its first day, ISO 8601.
        last: its last day.
    """
    today = timezone.localdate()
    first_on, last_on = _date(first), _date(last)
    if name == "custom" and first_on and last_on and 0 <= (last_on - first_on).days < LONGEST_DAYS:
        return Period(first_on, last_on)
    name = name if name in PRESETS else "today"
    return Period(today - timedelta(days=PRESETS[name][1] - 1), today, name)


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
