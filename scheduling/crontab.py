"""A crontab, read: which minutes, hours and days its five fields mean."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import CRON_DAYS_IN_MONTH, ParseException, crontab_parser
from celery.utils.time import DAYNAMES, MONTHNAMES
from django_celery_beat.models import CrontabSchedule


class InvalidCrontab(ValueError):
    """A crontab that cannot be read, or that never comes."""

    def __init__(self, faults: dict[str, str]) -> None:
        """Keep one sentence for each field at fault, as Django's `ValidationError` takes them."""
        super().__init__(" ".join(faults.values()))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Crontab:
    """The numbers each field stands for, under Celery's names; Sunday is 0."""

    minute: frozenset[int]
    hour: frozenset[int]
    day_of_month: frozenset[int]
    month_of_year: frozenset[int]
    day_of_week: frozenset[int]
    zone: ZoneInfo
    has_star: bool
    """Whether it runs every minute or every hour of some time (`*`, `*/5`), not at named times of day."""

    @property
    def expression(self) -> str:
        """Its five fields as cron writes them, in numbers."""
        return " ".join(self._spelled(name, field.numbers) for name, field in _FIELDS.items())

    def _spelled(self, name: str, every: range) -> str:
        numbers = sorted(getattr(self, name))
        return "*" if numbers == list(every) else ",".join(map(str, numbers))

    @property
    def ever_comes(self) -> bool:
        """Whether one of its months has one of its days: there is no 30 February."""
        longest: int = max(CRON_DAYS_IN_MONTH[month] for month in self.month_of_year)
        return min(self.day_of_month) <= longest


class _Field(NamedTuple):
    noun: str
    numbers: range
    spelling: str
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """Return the numbers that a text stands for.

        Raises:
            ValueError, ParseException: The text is no such field.
        """
        if not self._grammar().fullmatch(text):
            raise ValueError(text)
        return frozenset(crontab_parser(len(self.numbers), self.numbers[0]).parse(text))

    def _grammar(self) -> re.Pattern[str]:
        # Celery's parser reads the start of a text and forgives the rest, and takes "mon" for minute 1.
        one = "|".join((r"\d+", *(f"{name}[a-z]*" for name in self.names)))
        part = rf"(\*|({one})(-({one}))?)(/\d+)?"
        return re.compile(rf"{part}(,{part})*")


class _DayOfWeek(_Field):
    def read(self, text: str) -> frozenset[int]:
        """Return the days a text stands for, where 7 is Sunday too, as cron and beat's form have it."""
        try:
            return super().read(text)
        except ValueError:
            if "7" not in text:
                raise
        return frozenset(day % 7 for day in crontab_parser(8).parse(text))


_FIELDS = {
    "minute": _Field("minute", range(60), "0 to 59, a list (0,30), a range (10-20), a step (*/15)"),
    "hour": _Field("hour", range(24), "0 to 23, a list (9,17), a range (9-17), a step (*/2)"),
    "day_of_month": _Field("day of the month", range(1, 32), "1 to 31, a list (1,15), a range (1-7)"),
    "month_of_year": _Field(
        "month", range(1, 13), "1 to 12 or jan to dec, a list (jan,jul), a range (6-8)", MONTHNAMES
    ),
    "day_of_week": _DayOfWeek(
        "day of the week",
        range(7),
        "0 (Sunday) to 6 or sun to sat, a list (mon,thu), a range (mon-fri)",
        DAYNAMES,
    ),
}


def parse(schedule: CrontabSchedule) -> Crontab:
    """Read the five fields as Celery does: names, steps and ranges over the end (fri-mon) included.

    Args:
        schedule: Saved or not.

    Raises:
        InvalidCrontab: A field cannot be read, or its time zone is not known here.
    """
    texts = {name: getattr(schedule, name).replace(" ", "").lower() for name in _FIELDS}
    numbers, faults = {}, {}
    for name, field in _FIELDS.items():
        try:
            numbers[name] = field.read(texts[name])
        except (ValueError, ParseException):
            faults[name] = (
                f'"{texts[name]}" is not a {field.noun}. Write {field.spelling}, or * for every one.'
            )
    zone = zone_named(str(schedule.timezone))
    if zone is None:
        faults["timezone"] = f"The time zone {schedule.timezone} is not known here."
    if zone is None or faults:
        raise InvalidCrontab(faults)
    return Crontab(
        **numbers,
        zone=zone,
        has_star=any(
            texts[name].startswith("*") or numbers[name] == set(_FIELDS[name].numbers)
            for name in ("minute", "hour")
        ),
    )


def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone, or nothing if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError and OSError: what is written there is a path, or a folder of zones.
        return None


def validate(schedule: CrontabSchedule) -> None:
    """Refuse a crontab that cannot be read or never comes.

    Raises:
        InvalidCrontab: With a plain sentence for each field at fault.
    """
    if not parse(schedule).ever_comes:
        raise InvalidCrontab(
            {"day_of_month": "No month of this schedule has such a day: it would never run."}
        )
