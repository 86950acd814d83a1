"""The states of a run, one statement each: a worker's claim, and what may end it.

A claim is the run's STARTED row with this worker's name and start time in it. Whoever ends a run
names both, so a worker that was given up for lost and wakes up changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import states
from celery.utils.log import get_task_logger
from django.db.models import QuerySet
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.exceptions import ClaimLost
from scheduling.runs import WAITING

logger = get_task_logger(__name__)


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

    def rows(self) -> QuerySet[TaskResult]:
        """Return the run's row while it is still this claim's, else none."""
        return TaskResult.objects.filter(
            task_id=self.task_id,
            status=states.STARTED,
            worker=self.worker,
            date_started=self.started_at,
        )

    def end(self, status: str, **fields: Any) -> None:
        """Move the run on to its next state.

        Args:
            status: the state.
            fields: further columns of the task result.

        Raises:
            ClaimLost: the run is no longer this claim's. Inside a transaction that undoes its effect.
        """
        if status in states.READY_STATES:
            fields["date_done"] = timezone.now()
        if not self.rows().update(status=status, **fields):
            raise ClaimLost(self.task_id)
        self.ended = True
        self.returned = "result" in fields


def claim(task_id: str, *, worker: str) -> Claim | None:
    """Claim a waiting run for a worker.

    Returns:
        The claim, or nothing if the run is not waiting: its message came twice, or it was cancelled.
    """
    now = timezone.now()
    waiting = TaskResult.objects.filter(task_id=task_id, status__in=WAITING)
    if waiting.update(status=states.STARTED, worker=worker, date_started=now):
        return Claim(task_id, worker, now)
    return None
