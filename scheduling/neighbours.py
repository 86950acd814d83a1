"""How many other tasks are due in a minute, however far ahead it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from scheduling import timetable
from scheduling.crontab import InvalidCrontab
from scheduling.models import DelayedTask, RecurringTask
from scheduling.timetable import period_of

MINUTE = timedelta(minutes=1)
QUARTER = 15


def due_in_minute_of(moment: datetime, *, besides: int | None, at_most: int) -> int:
    """Return how many tasks are due in the minute of a moment, in three statements.

    Each recurring schedule is followed from its next run on to that minute, as far as it may still
    be edited until then.

    Args:
        besides: the primary key of a schedule that is not counted.
        at_most: where counting ends.
    """
    start = moment.astimezone(UTC).replace(second=0, microsecond=0)
    recurring = RecurringTask.objects.filter(recurrence__next_due_at__lt=start + MINUTE)
    found = (
        *_delayed(start)[:at_most],
        *_by_interval(recurring.exclude(pk=besides), start),
        *_by_calendar(recurring.exclude(pk=besides), start),
    )
    return min(len(found), at_most)


def _delayed(start: datetime) -> QuerySet[DelayedTask, int]:
    within = (start, start + MINUTE - timedelta.resolution)
    due = DelayedTask.objects.filter(clocked__clocked_time__range=within)
    return due.order_by().values_list("pk", flat=True)


def _by_interval(recurring: QuerySet[RecurringTask], start: datetime) -> Iterator[datetime]:
    columns = ("recurrence__next_due_at", "interval__every", "interval__period", "expires")
    for next_due_at, every, period, expires in recurring.exclude(interval=None).values_list(*columns):
        due_at = start + (next_due_at - start) % period_of(every, period)
        if due_at < start + MINUTE and (expires is None or due_at <= expires):
            yield due_at


def _by_calendar(recurring: QuerySet[RecurringTask], start: datetime) -> Iterator[datetime]:
    # Most crontabs name one minute. Whatever their zone, its clock differs by quarters of an hour.
    minutes = [str((start.minute + quarters * QUARTER) % 60) for quarters in range(4)]
    elsewhen = Q(crontab__minute__regex=r"^[0-9]+$") & ~Q(crontab__minute__in=minutes)
    for row in recurring.filter(interval=None).exclude(elsewhen):
        try:
            due_at = timetable.next_after(row, start - timedelta.resolution)
        except InvalidCrontab:
            continue
        if due_at and due_at < start + MINUTE:
            yield due_at
