"""When people order in the demo shop: in office hours mostly, a little more every week, and today."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

DAYS = 90
BUSY = (6, 6, 5, 5, 4, 1, 1)
"""Orders on a day of each weekday, from Monday, at the end of the time."""

ORDERS_TODAY = 9
OPENS, CLOSES = 7, 19


def order_times(chance: Random, now: datetime) -> list[datetime]:
    """Return when each order was placed, oldest first; the last ones today."""
    return sorted([*_past_days(chance, now), *_today(chance, now)])


def working_hour(chance: Random, day: datetime) -> datetime:
    """Return some time of a day when somebody is at work."""
    opened = timezone.localtime(day).replace(hour=OPENS, minute=0, second=0, microsecond=0)
    return opened + timedelta(seconds=chance.randrange((CLOSES - OPENS) * 3600))


def _past_days(chance: Random, now: datetime) -> Iterator[datetime]:
    for ago in range(1, DAYS):
        day = now - timedelta(days=ago)
        growth = 1 - ago / (3 * DAYS)
        for _ in range(round(BUSY[day.weekday()] * growth + chance.uniform(-1, 1.5))):
            yield working_hour(chance, day)


def _today(chance: Random, now: datetime) -> Iterator[datetime]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(ORDERS_TODAY):
        yield midnight + (now - midnight) * chance.uniform(0.3, 0.98)
