"""Noticing how recurring schedules are defined now, by whatever way they were edited."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from celery.utils.log import get_logger
from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask

from scheduling import timetable
from scheduling.exceptions import UnreadableRow
from scheduling.models import Recurrence
from scheduling.unreadable import past_unreadable

logger = get_logger(__name__)

TIMING = {
    "": ("enabled", "one_off", "start_time", "expires"),
    "interval": ("every", "period"),
    "crontab": (
        "minute",
        "hour",
        "day_of_week",
        "day_of_month",
        "month_of_year",
        "timezone",
    ),
    "solar": ("event", "latitude", "longitude"),
}
"""The columns that decide when a periodic task is due, by table."""


def recurring() -> QuerySet[PeriodicTask]:
    """Return the periodic tasks that are not single clocked runs, with what decides when they are due."""
    return PeriodicTask.objects.filter(clocked=None).select_related(
        "interval", "crontab", "solar", "recurrence"
    )


def definition_of(periodic_task: PeriodicTask) -> str:
    """Return a digest of everything that decides when it is due."""
    parts = [
        str(getattr(row, column))
        for table, columns in TIMING.items()
        if (row := getattr(periodic_task, table) if table else periodic_task)
        for column in columns
    ]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def follow_edits(*, now: datetime) -> int:
    """Compute anew when edited schedules are due; nothing fires at once because of an edit.

    Reads every recurring schedule, since `.update()` and SQL leave no trace elsewhere.

    Returns:
        How many were edited.
    """
    _resume_paused(now=now)
    # A time zone that this machine does not know raises while its row is read.
    return past_unreadable(lambda rows: _follow_edits(rows, now=now), recurring(), set_aside=_set_aside)


def _follow_edits(periodic_tasks: QuerySet[PeriodicTask], *, now: datetime) -> int:
    edited, touched = [], []
    # Not `iterator()`: a row that cannot be read would leave its cursor open.
    for row in periodic_tasks:
        if _is_edited(row):
            edited.append(row)
        elif _was_saved_since(row, row.recurrence.defined_at):
            touched.append(row.pk)
    for row in edited:
        follow(row, now=now)
    if touched:
        # Else a later `.update()` would seem to have been made at this save.
        Recurrence.objects.filter(pk__in=touched).update(defined_at=now)
    return len(edited)


def _set_aside(errors: Mapping[int, UnreadableRow]) -> None:
    """Let what cannot be read never be due, or it would hold up all other work; mended, it is an edit."""
    due = Recurrence.objects.filter(pk__in=errors, next_due_at__isnull=False)
    if due.update(next_due_at=None, definition=""):
        for pk, error in errors.items():
            logger.error("Periodic task %s is never due: %s", pk, error)


def _is_edited(periodic_task: PeriodicTask) -> bool:
    recurrence: Recurrence | None = getattr(periodic_task, "recurrence", None)
    return recurrence is None or recurrence.definition != definition_of(periodic_task)


def follow(periodic_task: PeriodicTask, *, now: datetime) -> None:
    """Compute anew when one edited schedule is due next, so that a page can show it at once."""
    recurrence: Recurrence | None = getattr(periodic_task, "recurrence", None)
    fields = {
        "next_due_at": _first_due(periodic_task, after=_edited_at(periodic_task, recurrence, now)),
        "definition": definition_of(periodic_task),
        "defined_at": now,
    }
    if recurrence is None:
        row = Recurrence(periodic_task=periodic_task, **fields)
        Recurrence.objects.bulk_create([row], ignore_conflicts=True)
    else:
        # Another scheduler that saw the edit first has changed the digest.
        mine = Recurrence.objects.filter(pk=recurrence.pk, definition=recurrence.definition)
        mine.update(**fields)


def _edited_at(periodic_task: PeriodicTask, recurrence: Recurrence | None, now: datetime) -> datetime:
    """When the edit was made. `.update()` does not say, so it counts from now.

    So does one of a host whose clock is ahead: what is due until then would be left out.
    """
    last_seen = recurrence.defined_at if recurrence else None
    return min(periodic_task.date_changed, now) if _was_saved_since(periodic_task, last_seen) else now


def _was_saved_since(periodic_task: PeriodicTask, last_seen: datetime | None) -> bool:
    return last_seen is None or periodic_task.date_changed > last_seen


def _first_due(periodic_task: PeriodicTask, *, after: datetime) -> datetime | None:
    if not periodic_task.enabled:
        return None
    try:
        return timetable.next_after(periodic_task, after)
    except Exception as error:
        # SQL may have written any schedule, and those after it are to be followed too.
        logger.error("%s is never due: %s", periodic_task.name, error)
        return None


@transaction.atomic
def _resume_paused(*, now: datetime) -> None:
    over = Recurrence.objects.filter(paused_until__lte=now)
    names = list(over.values_list("pk", flat=True))
    if names:
        # In the order in which a claim locks them.
        Recurrence.objects.filter(pk__in=names).update(paused_until=None, pause_reason="")
        PeriodicTask.objects.filter(pk__in=names).update(enabled=True, date_changed=now)
