"""Attempts that did not succeed: the next one waits in the database."""

import traceback
from datetime import datetime, timedelta
from typing import Any

from celery import current_app, states
from celery.exceptions import Retry, WorkerLostError
from celery.utils.log import get_logger
from django.db.models import F
from django.utils import timezone

from scheduling.claims import Claim
from scheduling.encoding import as_json, encode_error, printable
from scheduling.failures import record_failure
from scheduling.models import Attempt, Run
from scheduling.rerunning import halt_if_failing

logger = get_logger(__name__)

LOST_PAUSE = timedelta(seconds=1)
LOST_PAUSE_MAX = timedelta(minutes=10)


def retry_later(held: Claim, retry: Retry) -> None:
    """Record a failed attempt and when the next one is due, in one transaction.

    Raises:
        ClaimLost: another attempt has taken this one's place.
    """
    error = retry.exc or retry
    given = {name: value for name, value in getattr(retry, "given", {}).items() if value is not None}
    _put_back(
        held,
        at=retry.when,
        error=encode_error(error),
        words=f"{type(error).__name__}: {error}",
        trace="".join(traceback.format_exception(error)),
        **as_json(given),
    )


def give_up_attempt(held: Claim, *, words: str) -> bool:
    """End an attempt whose worker was lost: the run is tried again, or failed after its last attempt.

    A run that kills its worker is tried after growing pauses and as often as one that raises:
    `max_retries` times again.

    Args:
        held: the lost claim, as it stands in the database.
        words: what happened to the worker.

    Returns:
        True if it will be tried again.

    Raises:
        ClaimLost: it ended or was put back meanwhile.
    """
    run = Run.objects.select_related("task_result").get(pk=held.task_id)
    task = current_app.tasks.get(run.task_result.task_name)
    limit = getattr(task, "max_retries", 0)
    error = encode_error(WorkerLostError(words))
    if limit is not None and run.attempt > limit:
        with held.transaction():
            held.end(states.FAILURE, result=error)
            record_failure(held.task_id, f"WorkerLostError: {words}")
        logger.error("%s failed after %d attempts: %s", held.task_id, run.attempt, words)
        return False
    pause = lost_pause(run.attempt)
    _put_back(held, at=timezone.now() + pause, error=error, words=words)
    logger.warning("%s will be tried again in %s: %s", held.task_id, pause, words)
    return True


def lost_pause(tries: int) -> timedelta:
    """Return how long to wait after so many tries that failed through no fault of the task: 1, 2, 4 … s."""
    return min(LOST_PAUSE * 2 ** min(tries - 1, 20), LOST_PAUSE_MAX)


def _put_back(
    held: Claim,
    *,
    at: datetime,
    error: str,
    words: str,
    trace: str = "",
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    with held.transaction():
        held.end(states.RETRY, result=error, traceback=printable(trace))
        run = Run.objects.get(pk=held.task_id)
        Attempt.objects.create(
            run=run,
            number=run.attempt,
            started_at=held.started_at,
            ended_at=timezone.now(),
            worker=held.worker,
            error=printable(words),
            traceback=printable(trace),
        )
        Run.objects.filter(pk=run.pk).update(
            attempt=F("attempt") + 1,
            hand_over_at=at,
            hand_overs=0,
            progress_current=None,
            progress_total=None,
            progress_words="",
            args=run.args if args is None else args,
            kwargs=run.kwargs if kwargs is None else kwargs,
            options={**run.options, **(options or {})},
        )
        halt_if_failing(run.pk)
