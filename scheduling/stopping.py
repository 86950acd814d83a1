"""Stopping runs that have started: through the database, so that any broker will do."""

import signal
from collections.abc import Collection, Iterable
from typing import Any

from celery import states
from celery.utils.log import get_logger
from celery.worker import state
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.encoding import encode_words
from scheduling.models import Run

logger = get_logger(__name__)


@transaction.atomic(savepoint=False)
def stop_runs(task_ids: Collection[str], *, because: str) -> set[str]:
    """Take running runs away from their workers.

    The claim is lost at once, so no effect of theirs is committed any more; each worker ends its
    process at its next heartbeat, if its pool has processes.

    Args:
        because: the reason, in words for staff.

    Returns:
        The ids of those that were stopped; the others had ended, or had not started.
    """
    running = TaskResult.objects.select_for_update().filter(task_id__in=task_ids, status=states.STARTED)
    stopped = set(running.values_list("task_id", flat=True))
    TaskResult.objects.filter(task_id__in=stopped).update(
        status=states.REVOKED, date_done=timezone.now(), result=encode_words(because)
    )
    Run.objects.filter(pk__in=stopped).update(reason=because, hand_over_at=None)
    return stopped


def snapshot(requests: Iterable[Any]) -> list[Any]:
    """Return what is in one of a worker's sets of requests, which its own thread changes meanwhile."""
    while True:
        try:
            return list(requests)
        except RuntimeError:
            continue


def can_stop(pool: Any) -> bool:
    """Whether a worker's pool can end what has started: threads cannot be ended from outside."""
    return type(pool).__module__ == "celery.concurrency.prefork"


def end_stopped_runs(pool: Any) -> list[str]:
    """End the processes of this worker whose runs were stopped; called at every heartbeat.

    Returns:
        The ids of the runs whose processes were told to end.
    """
    running = {request.id: request for request in snapshot(state.active_requests)}
    if not running or not can_stop(pool):
        return []
    stopped = TaskResult.objects.filter(task_id__in=running, status=states.REVOKED)
    ended = []
    for task_id in stopped.values_list("task_id", flat=True):
        request = running[task_id]
        # It may have ended by itself meanwhile, and its process may have another run.
        if request in state.active_requests and request.worker_pid:
            logger.warning("%s was stopped: its process %s ends", task_id, request.worker_pid)
            pool.terminate_job(request.worker_pid, signal.SIGTERM)
            ended.append(task_id)
    return ended
