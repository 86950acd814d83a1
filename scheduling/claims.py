"""The states of a run, one statement each: a worker's claim, and what may end it.

A claim is the run's STARTED row with this worker's name and start time in it. Whoever ends a run
names both, so a worker that was given up for lost and wakes up changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import states
from django.db import connection, transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.encoding import encode
from scheduling.exceptions import AlreadyDone, ClaimLost
from scheduling.models import Run
from scheduling.prepared import prepared_cursor
from scheduling.runs import WAITING

# Every run passes through these two: building them as querysets took longer than running them, and so did
# planning them.
# The status stands outside the subquery: of two that claim at once, PostgreSQL has the second look at
# the new row, but not run its subquery anew.
# What is coalesced has an index that must not be used: it leads to all runs of a worker or a state, which
# PostgreSQL takes for none until it has counted them anew.
CLAIM = f"""
    UPDATE {TaskResult._meta.db_table} SET status = '{states.STARTED}', worker = %s, date_started = %s
    WHERE task_id = %s AND COALESCE(status, '') IN {WAITING}
    AND EXISTS (SELECT 1 FROM {Run._meta.db_table} WHERE task_result_id = %s AND attempt = %s)
"""  # noqa: S608
# A claim need not outlive a crash of the database server: the run then waits again, and this claim's end
# finds it so and undoes its effect. Waiting for the disk would take as long as all the rest.
WITHOUT_WAITING_FOR_THE_DISK = {
    "postgresql": " AND set_config('synchronous_commit', 'off', true) IS NOT NULL",
}
END = f"""
    UPDATE {TaskResult._meta.db_table} SET status = %s, result = %s, traceback = %s, date_done = %s
    WHERE task_id = %s AND COALESCE(status, '') = '{states.STARTED}' AND COALESCE(worker, '') = %s
    AND date_started = %s
"""  # noqa: S608


@dataclass
class Claim:
    """A worker's hold on one run.

    Args:
        task_id: the run.
        worker: the worker's name, as Celery gives it.
        started_at: when it claimed the run, to the microsecond: the claim's token.
        ended: set once this claim has moved the run on.
    """

    task_id: str
    worker: str
    started_at: datetime
    ended: bool = False

    def end(self, status: str, *, result: str | None = None, traceback: str | None = None) -> None:
        """Move the run on to its next state.

        Args:
            status: the state.
            result: what it returned or raised, encoded.
            traceback: of what it raised.

        Raises:
            AlreadyDone: this claim has moved it on before.
            ClaimLost: the run is no longer this claim's. Inside a transaction that undoes its effect.
        """
        if self.ended:
            raise AlreadyDone(self.task_id)
        done_at = timezone.now() if status in states.READY_STATES else None
        row = (status, result, traceback, _adapted(done_at))
        if not _execute(END, (*row, self.task_id, self.worker, _adapted(self.started_at))):
            raise ClaimLost(self.task_id)
        self.ended = True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction in which the run may end; if it is undone, so is the end."""
        ended_before = self.ended
        try:
            with transaction.atomic():
                yield
        except BaseException:
            self.ended = ended_before
            raise

    def tell(self, value: Any) -> None:
        """Keep what the run returned after its end, or tells of itself before."""
        mine = TaskResult.objects.filter(
            task_id=self.task_id, worker=self.worker, date_started=self.started_at
        )
        mine.update(result=encode(value))


def claim(task_id: str, *, worker: str, attempt: int) -> Claim | None:
    """Claim a waiting run for a worker.

    Args:
        attempt: the one that the message is for. An earlier one's message, delivered again, must not
            start the next before its time.

    Returns:
        The claim, or nothing if the run is not waiting for this attempt: its message came twice, or it
        was cancelled.
    """
    now = timezone.now()
    statement = CLAIM + WITHOUT_WAITING_FOR_THE_DISK.get(connection.vendor, "")
    claimed = _execute(statement, (worker, _adapted(now), task_id, task_id, attempt))
    return Claim(task_id, worker, now) if claimed else None


def _execute(statement: str, values: tuple[Any, ...]) -> int:
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _adapted(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
