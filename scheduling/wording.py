"""A periodic task's schedule in plain words, for people who never saw cron."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.contrib.humanize.templatetags.humanize import ordinal
from django.utils import dateformat, timezone
from django.utils.text import get_text_list
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from scheduling.crontab import Crontab, InvalidCrontab, parse, zone_named

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKS = {1: "first", 8: "second", 15: "third", 22: "fourth"}
_LISTED_AT_MOST = 4
"""More times or dates than this are told by their rhythm, where they have one."""


def in_words(periodic_task: PeriodicTask) -> str:
    """Tell when a periodic task runs: "every weekday at 09:00, Berlin time", "every 10 minutes".

    A crontab, its start and its end are told in its own zone, all else in the reader's.

    Args:
        periodic_task: Saved or not.

    Returns:
        Words that continue a sentence. A crontab that cannot be read is told as such: one bad row
        must not break a list of schedules.
    """
    zone: tzinfo = timezone.get_current_timezone()
    match periodic_task.scheduler:
        case ClockedSchedule() as schedule:
            return f"once, {_moment(schedule.clocked_time, zone)}"
        case IntervalSchedule() as schedule:
            words = _interval_in_words(schedule)
        case CrontabSchedule() as schedule:
            zone = zone_named(str(schedule.timezone)) or zone
            words = _crontab_in_words(schedule)
        case SolarSchedule() as schedule:
            words = _solar_in_words(schedule)
        case _:
            return "no schedule"
    if periodic_task.start_time:
        words += f", from {_moment(periodic_task.start_time, zone)}"
    if periodic_task.expires:
        words += f", until {_moment(periodic_task.expires, zone)}"
    return f"{words}, the first time only" if periodic_task.one_off else words


def zone_in_words(zone: ZoneInfo) -> str:
    """Return "Berlin time" for Europe/Berlin; a zone that is no place keeps its name."""
    area, _, place = zone.key.rpartition("/")
    return f"{place.replace('_', ' ')} time" if area not in ("", "Etc") else zone.key


def _moment(moment: datetime, zone: tzinfo) -> str:
    return dateformat.format(moment.astimezone(zone), "j M Y H:i")


def _interval_in_words(schedule: IntervalSchedule) -> str:
    if schedule.every == 1:
        return f"every {schedule.period_singular}"
    return f"every {schedule.every} {schedule.period}"


def _solar_in_words(schedule: SolarSchedule) -> str:
    latitude, longitude = float(schedule.latitude), float(schedule.longitude)
    north = f"{abs(latitude):g}° {'S' if latitude < 0 else 'N'}"
    east = f"{abs(longitude):g}° {'W' if longitude < 0 else 'E'}"
    return f"at {schedule.get_event_display().lower()} at {north}, {east}"


def _crontab_in_words(schedule: CrontabSchedule) -> str:
    try:
        crontab = parse(schedule)
    except InvalidCrontab as error:
        if "timezone" in error.faults:
            return f"never, as the time zone {schedule.timezone} is not known here"
        return f"unreadable crontab: {schedule}"
    days = _days(crontab)
    if times := _times(crontab):
        words = f"{days or 'every day'} at {times}"
    else:
        words = ", ".join(filter(None, (days, _rhythm(crontab))))
    round_the_clock = not days and len(crontab.hour) == 24
    return words if round_the_clock else f"{words}, {zone_in_words(crontab.zone)}"


def _times(crontab: Crontab) -> str:
    """Return "09:00 and 18:00", or nothing where a rhythm says it shorter."""
    times = [_clock(hour, minute) for hour in sorted(crontab.hour) for minute in sorted(crontab.minute)]
    uneven = len(crontab.minute) == 1 and not _step(sorted(crontab.hour))
    return _listed(times) if len(times) <= _LISTED_AT_MOST or uneven else ""


def _rhythm(crontab: Crontab) -> str:
    """Return "every 15 minutes from 09:00 to 17:45"."""
    minutes, hours = sorted(crontab.minute), sorted(crontab.hour)
    span = f"from {_clock(hours[0], minutes[0])} to {_clock(hours[-1], minutes[-1])}"
    if hours == list(range(24)):
        return _minutes(minutes)
    if len(hours) == hours[-1] - hours[0] + 1:
        return f"{_minutes(minutes)} {span}"
    if len(minutes) == 1:
        step = _step(hours)
        return f"every {step} hours" if minutes == [0] and _fills(24, hours) else f"every {step} hours {span}"
    return f"{_minutes(minutes)} in the hours {_listed(f'{hour:02}' for hour in hours)}"


def _minutes(minutes: Sequence[int]) -> str:
    if minutes == [0]:
        return "every hour"
    if not _fills(60, minutes):
        return f"{_listed(minutes)} {'minute' if minutes == [1] else 'minutes'} past every hour"
    return "every minute" if len(minutes) == 60 else f"every {_step(minutes)} minutes"


def _days(crontab: Crontab) -> str:
    """Return "on the 1st of every month", or nothing for every day."""
    months = (
        ""
        if len(crontab.month_of_year) == 12
        else _listed(_MONTHS[n - 1] for n in sorted(crontab.month_of_year))
    )
    dates = "" if len(crontab.day_of_month) == 31 else _dates(sorted(crontab.day_of_month))
    weekdays = "" if len(crontab.day_of_week) == 7 else _weekdays(crontab.day_of_week)
    if dates:
        return _dates_of_months(crontab, dates, months or "every month")
    if weekdays or months:
        return f"every {weekdays or 'day'}" + (f" in {months}" if months else "")
    return ""


def _dates_of_months(crontab: Crontab, dates: str, months: str) -> str:
    if len(crontab.day_of_week) == 7:
        return f"on {dates} of {months}"
    weekdays = _listed((_DAYS[day] for day in _from_monday(crontab.day_of_week)), "or")
    week = _WEEKS.get(min(crontab.day_of_month))
    whole_week = len(crontab.day_of_month) == 7 and _step(sorted(crontab.day_of_month)) == 1
    if week and whole_week and len(crontab.day_of_week) == 1:
        return f"on the {week} {weekdays} of {months}"
    return f"on {dates} of {months} if it is a {weekdays}"


def _dates(days: Sequence[int]) -> str:
    step, first, last = _step(days), ordinal(days[0]), ordinal(days[-1])
    if len(days) <= _LISTED_AT_MOST or not step:
        return f"the {_listed(ordinal(day) for day in days)}"
    return (
        f"the {first} to {last}" if step == 1 else f"every {ordinal(step)} day from the {first} to the {last}"
    )


def _weekdays(days: frozenset[int]) -> str:
    if days == {1, 2, 3, 4, 5}:
        return "weekday"
    if len(days) == 6:
        return f"day except {_DAYS[(set(range(7)) - days).pop()]}"
    return _listed(_DAYS[day] for day in _from_monday(days))


def _from_monday(days: Iterable[int]) -> list[int]:
    return sorted(days, key=lambda day: (day - 1) % 7)


def _clock(hour: int, minute: int) -> str:
    return f"{hour:02}:{minute:02}"


def _listed(things: Iterable[object], conjunction: str = "and") -> str:
    return get_text_list([str(thing) for thing in things], conjunction)


def _step(numbers: Sequence[int]) -> int:
    """Return the distance between numbers that are evenly spaced, else 0."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else 0


def _fills(whole: int, numbers: Sequence[int]) -> bool:
    """Tell whether numbers go round an hour or a day in even steps from 0, the last one included."""
    step = _step(numbers)
    return bool(step) and whole % step == 0 and list(numbers) == list(range(0, whole, step))
