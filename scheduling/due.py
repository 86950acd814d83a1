"""Claiming the delayed runs that are due."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django_celery_beat.models import PeriodicTask

from scheduling.models import Run
from scheduling.occurrences import EXPIRED, NotRun, run_of
from scheduling.periodic_tasks import delete_one_offs, waiting_one_offs
from scheduling.runs import insert_runs, ran_under, subject_of

BATCH = 500
"""Rows claimed in one transaction: enough to make its cost small, few enough to keep it short."""

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
    due = waiting_one_offs().filter(enabled=True, clocked__clocked_time__lte=now)
    # Asked first without a lock: SQLite's is the whole database's, and a look a second is often idle.
    if not due.exists():
        return []
    with transaction.atomic():
        rows = list(
            due.select_for_update(skip_locked=True, of=("self",))
            .select_related("clocked")
            .order_by("clocked__clocked_time")[:BATCH]
        )
        if not rows:
            return []
        ran = _keys_that_ran(rows)
        runs = [_run_of_one_off(row, now=now, hand_over_at=now + lease, ran=row.name in ran) for row in rows]
        insert_runs(runs)
        delete_one_offs(rows)
    return [run for run in runs if run.hand_over_at]


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
