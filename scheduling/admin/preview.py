"""What a schedule will do, while it is typed: in words, its next runs, what else runs then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat, timezone
from django_celery_beat.models import PeriodicTask

from scheduling import timetable
from scheduling.admin.timing_form import TimingForm
from scheduling.neighbours import due_in_minute_of
from scheduling.templatetags.moments import duration
from scheduling.wording import in_words, zone_in_words

RUNS = 10
COUNTED_AT_MOST = 100


@dataclass(frozen=True)
class NextRun:
    """One of the next runs, on the schedule's clock and on the reader's, which leaves out the same day."""

    at: datetime
    there: str
    here: str
    clock_change: str


@dataclass(frozen=True)
class Preview:
    """What the card beside the form shows."""

    words: str
    zone: str
    reader_zone: str
    runs: list[NextRun]
    neighbours: str


def preview_of(sketch: PeriodicTask, timing: TimingForm, *, pk: int | None) -> Preview:
    """Return what an unsaved periodic task will do.

    Args:
        timing: the form it was built from, valid.
        pk: the schedule that is edited, which is not its own neighbour.
    """
    zone, reader = timing.zone_info, ZoneInfo(timezone.get_current_timezone_name())
    occurrences = timetable.upcoming(sketch, after=timezone.now(), count=RUNS)
    return Preview(
        words=in_words(sketch),
        zone=zone_in_words(zone),
        reader_zone=zone_in_words(reader) if reader != zone else "",
        runs=[_next_run(at, zone, reader) for at in occurrences],
        neighbours=_neighbours(occurrences[0], pk=pk) if occurrences else "",
    )


def _next_run(at: datetime, zone: ZoneInfo, reader: ZoneInfo) -> NextRun:
    shift = timetable.clock_change(at, zone)
    words = ""
    if shift:
        way = "forward" if shift > timedelta(0) else "back"
        words = f"clocks go {way} {duration(abs(shift))} this day"
    there, here = at.astimezone(zone), at.astimezone(reader)
    same_day = there.date() == here.date()
    return NextRun(
        at=at,
        there=_written(there),
        here=f"{here:%H:%M}" if same_day else _written(here),
        clock_change=words,
    )


def _written(local: datetime) -> str:
    this_year = local.year == timezone.now().year
    return dateformat.format(local, "D j M H:i" if this_year else "D j M Y H:i")


def _neighbours(at: datetime, *, pk: int | None) -> str:
    """Say how many other tasks are due in the minute of a run."""
    count = due_in_minute_of(at, besides=pk, at_most=COUNTED_AT_MOST)
    if not count:
        return "Nothing else is due in the minute of its first run."
    many = f"{COUNTED_AT_MOST} or more" if count >= COUNTED_AT_MOST else str(count)
    return f"{many} other {'task is' if count == 1 else 'tasks are'} due in the minute of its first run."
