"""The states of a run, one statement each: a worker's claim, and what may end it.

A claim is the run's STARTED row with this worker's name and start time in it. Whoever ends a run
names both, so a worker that was given up for lost and wakes up changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import states
from django.db import connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.exceptions import ClaimLost
from scheduling.runs import WAITING

# Every run passes through these two: building them as querysets took longer than running them.
CLAIM = f"""
    UPDATE {TaskResult._meta.db_table} SET status = '{states.STARTED}', worker = %s, date_started = %s
    WHERE task_id = %s AND status IN {WAITING}
"""  # noqa: S608
END = f"""
    UPDATE {TaskResult._meta.db_table} SET status = %s, result = %s, traceback = %s, date_done = %s
    WHERE task_id = %s AND status = '{states.STARTED}' AND worker = %s AND date_started = %s
"""  # noqa: S608


@dataclass
class Claim:
    """A worker's hold on one run.

    Args:
        task_id: the run.
        worker: the worker's name, as Celery gives it.
        started_at: when it claimed the run, to the microsecond: the claim's token.
        ended: set once this claim has moved the run on.
        returned: set once what the task returned is stored.
    """

    task_id: str
    worker: str
    started_at: datetime
    ended: bool = False
    returned: bool = False

    def end(self, status: str, *, result: str | None = None, traceback: str | None = None) -> None:
        """Move the run on to its next state.

        Args:
            status: the state.
            result: what it returned or raised, encoded.
            traceback: of what it raised.

        Raises:
            ClaimLost: the run is no longer this claim's. Inside a transaction that undoes its effect.
        """
        done_at = timezone.now() if status in states.READY_STATES else None
        row = (status, result, traceback, _adapted(done_at))
        if not _execute(END, (*row, self.task_id, self.worker, _adapted(self.started_at))):
            raise ClaimLost(self.task_id)
        self.ended = True
        self.returned = result is not None


def claim(task_id: str, *, worker: str) -> Claim | None:
    """Claim a waiting run for a worker.

    Returns:
        The claim, or nothing if the run is not waiting: its message came twice, or it was cancelled.
    """
    now = timezone.now()
    return Claim(task_id, worker, now) if _execute(CLAIM, (worker, _adapted(now), task_id)) else None


def _execute(statement: str, values: tuple[Any, ...]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _adapted(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
