"""What runs next: delayed tasks and the next occurrences of recurring ones, in one list by time."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import site
from django.http import HttpRequest
from django.urls import reverse

from scheduling.admin.dialogs import row_buttons
from scheduling.catalogue import words_of
from scheduling.models import DelayedTask, Recurrence, RecurringTask
from scheduling.periodic_tasks import waiting_one_offs
from scheduling.runs import subject_of
from scheduling.subjects import describe

ROWS = 8


@dataclass(frozen=True)
class Next:
    """One run to come."""

    at: datetime
    words: str
    address: str
    whom: str = ""
    whom_address: str = ""
    why: str = ""
    buttons: str = ""
    """What the reader may do about it, as HTML."""


def runs_next(request: HttpRequest) -> list[Next]:
    """Return the runs to come, next first, by the indexes on their due times."""
    return sorted([*_delayed(request), *_recurring(request)], key=lambda each: each.at)[:ROWS]


def _delayed(request: HttpRequest) -> list[Next]:
    verbs = site.get_model_admin(DelayedTask)
    rows = list(waiting_one_offs().select_related("clocked").order_by("clocked__clocked_time")[:ROWS])
    whom = describe(subject_of(row.name) for row in rows)
    found = []
    for row in rows:
        subject = whom.get(subject_of(row.name))
        words = words_of(row.task)
        about = f"{words} for {subject.label}" if subject else words
        found.append(
            Next(
                at=row.clocked.clocked_time,
                words=words,
                address=reverse("admin:scheduling_delayedtask_change", args=[row.pk]),
                whom=subject.label if subject else "",
                whom_address=subject.url if subject else "",
                why=row.description,
                buttons=row_buttons(verbs, request, row, ("postpone", "do-now", "cancel"), about=about),
            )
        )
    return found


def _recurring(request: HttpRequest) -> list[Next]:
    verbs = site.get_model_admin(RecurringTask)
    rows = Recurrence.objects.filter(next_due_at__isnull=False, periodic_task__enabled=True)
    return [
        Next(
            at=row.next_due_at,
            words=row.periodic_task.name,
            address=reverse("admin:scheduling_recurringtask_change", args=[row.pk]),
            why=row.periodic_task.description,
            buttons=row_buttons(
                verbs, request, row, ("run-now", "pause", "skip-next"), about=row.periodic_task.name
            ),
        )
        for row in rows.select_related("periodic_task").order_by("next_due_at")[:ROWS]
        if row.next_due_at
    ]
