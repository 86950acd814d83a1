"""Claiming the delayed runs that are due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask

from scheduling.exceptions import UnreadableRow
from scheduling.models import Run
from scheduling.occurrences import EXPIRED, NotRun, run_of
from scheduling.periodic_tasks import delete_one_offs, waiting_one_offs
from scheduling.runs import insert_runs, ran_under, subject_of
from scheduling.unreadable import past_unreadable

BATCH = 500
"""Rows claimed in one transaction: enough to make its cost small, few enough to keep it short."""

TEXTS = ("id", "name", "task", "args", "kwargs", "headers", "description", "queue", "clocked_id")
"""The columns of a delayed run that can be read whatever SQL has written into them, and what finds it."""

RAN_ALREADY = NotRun(Run.NotRun.SKIPPED, "work under this key ran already")


def claim_due(*, now: datetime, lease: timedelta) -> Sequence[Run]:
    """Turn the oldest due delayed runs into PENDING runs, in one short transaction.

    What another scheduler has locked is its own. A claimed row is deleted: what waits is in beat's
    tables, what was due is in the results', and never both.

    Args:
        now: what is due until then is claimed.
        lease: how long the caller has for handing them over before others may.

    Returns:
        The runs to hand over, at most `BATCH`.
    """
    due = waiting_one_offs().filter(enabled=True, clocked__clocked_time__lte=now).select_related("clocked")
    # Asked first without a lock: SQLite's is the whole database's, and a look a second is often idle.
    if not due.exists():
        return []
    return past_unreadable(
        lambda rows: _claim(rows, now=now, lease=lease),
        due.order_by("clocked__clocked_time"),
        set_aside=lambda errors: _fail_unreadable(errors, now=now),
        at_most=BATCH,
    )


def _claim(due: QuerySet[PeriodicTask], *, now: datetime, lease: timedelta) -> Sequence[Run]:
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:BATCH])
        if not rows:
            return []
        ran = _keys_that_ran(rows)
        runs = [_run_of_one_off(row, now=now, hand_over_at=now + lease, ran=row.name in ran) for row in rows]
        insert_runs(runs)
        delete_one_offs(rows)
    return [run for run in runs if run.hand_over_at]


@transaction.atomic
def _fail_unreadable(errors: Mapping[int, UnreadableRow], *, now: datetime) -> None:
    """End what cannot be read as failed: it would hold up all others for as long as it is due."""
    waiting = waiting_one_offs().select_for_update().filter(pk__in=errors)
    rows = [PeriodicTask(**columns) for columns in waiting.values(*TEXTS)]
    runs = [
        run_of(row, due_at=now, hand_over_at=now, not_run=NotRun("", str(errors[row.pk])), mark=str(row.pk))
        for row in rows
    ]
    insert_runs(runs)
    delete_one_offs(rows)


def _keys_that_ran(rows: Sequence[PeriodicTask]) -> set[str]:
    """Return the keys that are due for a second time.

    Planning refuses them, but cannot see a claim that is committed between its look and its insert.
    Names without a subject are no keys: whoever writes such a row again wants another run.
    """
    keys = [row.name for row in rows if subject_of(row.name)]
    return set(ran_under(keys).values_list("periodic_task_name", flat=True))


def _run_of_one_off(row: PeriodicTask, *, now: datetime, hand_over_at: datetime, ran: bool) -> Run:
    expired = row.expires is not None and row.expires <= now
    return run_of(
        row,
        due_at=row.clocked.clocked_time,
        hand_over_at=hand_over_at,
        not_run=RAN_ALREADY if ran else EXPIRED if expired else None,
        # A key that was cancelled may be planned again for the same time: that is another run.
        mark=str(row.pk),
    )
