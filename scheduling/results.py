"""The result backend: one statement a state, and never backwards."""

from dataclasses import dataclass
from typing import Any

from celery import states
from celery.exceptions import WorkerLostError
from celery.utils.log import get_logger
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_celery_results.backends.database import DatabaseBackend as StockBackend
from django_celery_results.models import TaskResult

from scheduling.cancelling import cancel_runs
from scheduling.causes import error_line
from scheduling.claims import Claim
from scheduling.encoding import CONTENT_ENCODING, CONTENT_TYPE, encode, printable
from scheduling.exceptions import DATABASE_AWAY, ClaimLost
from scheduling.execution import drop_broken_connections
from scheduling.failures import record_failure
from scheduling.models import Run
from scheduling.retrying import give_up_attempt, lost_pause
from scheduling.runs import WAITING

logger = get_logger(__name__)

NOT_RUN = {"expired": Run.NotRun.EXPIRED, "revoked": Run.NotRun.CANCELLED}
"""Why a run was not run, by the reason that Celery gives for revoking it."""


class DatabaseBackend(StockBackend):
    """django-celery-results' backend, reading as it does and writing as our claims demand.

    A claimed run is ended by its claim (`scheduling.execution`); what arrives here besides are
    failures after the body, and states told from outside the run: a lost worker, a time limit, an
    expired message. Results are stored even of tasks that ignore them: every run is shown.
    """

    # Celery asks this before it trusts a stored SUCCESS after a redelivery.
    persistent = True

    def _store_result(
        self,
        task_id: str,
        result: Any,
        status: str,
        traceback: str | None = None,
        request: Any = None,
        using: str | None = None,
    ) -> Any:
        claim: Claim | None = getattr(request, "claim", None)
        if status in states.READY_STATES:
            outcome = Outcome(status, result, traceback)
            if claim is None:
                _end_unclaimed(task_id, outcome, request)
            elif not claim.ended:
                _end_claimed(claim, outcome)
        return result

    def mark_as_failure(
        self,
        task_id: str,
        exc: BaseException,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        call_errbacks: bool = True,
        state: str = states.FAILURE,
    ) -> None:
        """Record a failure, except that a run whose worker was lost gets its next attempt."""
        drop_broken_connections()
        if isinstance(exc, WorkerLostError) and _is_put_back(task_id, exc, request):
            return
        super().mark_as_failure(task_id, exc, traceback, request, True, call_errbacks, state)

    def mark_as_revoked(
        self,
        task_id: str,
        reason: str = "",
        request: Any = None,
        store_result: bool = True,
        state: str = states.REVOKED,
    ) -> None:
        """Record that a run was revoked: a waiting one by its own message, one under way by its worker.

        Celery calls this in the worker's main process, and an error would end it. A run that is left as
        it was is handed over again, and expires then.
        """
        drop_broken_connections()
        try:
            if reason not in NOT_RUN or _stop_waiting(task_id, reason, request):
                super().mark_as_revoked(task_id, reason, request, True, state)
        except DATABASE_AWAY as error:
            logger.warning(
                "%s is not recorded as %s, the database does not answer: %s", task_id, reason, error
            )

    def cleanup(self) -> None:
        """Nothing: old runs are pruned by state and age, in batches, by a task of ours."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        result: what it returned or raised, as Celery's backends encode it.
    """

    status: str
    result: Any
    traceback: str | None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the task result that hold it."""
        return {"result": encode(self.result), "traceback": self.traceback and printable(self.traceback)}

    def record_failure(self, task_id: str) -> None:
        """Record its cause, if it is a failure."""
        if self.status == states.FAILURE and isinstance(self.result, dict):
            record_failure(task_id, error_line(self.result))


def _end_claimed(claim: Claim, outcome: Outcome) -> None:
    try:
        with claim.transaction():
            claim.end(outcome.status, **outcome.columns)
            outcome.record_failure(claim.task_id)
    except ClaimLost as error:
        logger.warning("%s", error)


@transaction.atomic(savepoint=False)
def _end_unclaimed(task_id: str, outcome: Outcome, request: Any) -> None:
    fields = {
        **outcome.columns,
        "status": outcome.status,
        "date_done": timezone.now(),
        "content_type": CONTENT_TYPE,
        "content_encoding": CONTENT_ENCODING,
    }
    known = TaskResult.objects.filter(task_id=task_id)
    # Of a run that was started, only the worker that has it knows how it ended.
    mine = Q(status=states.STARTED, worker=getattr(request, "hostname", None))
    if known.filter(Q(status__in=WAITING) | mine).update(**fields):
        outcome.record_failure(task_id)
    elif not known.exists():
        TaskResult.objects.bulk_create([TaskResult(task_id=task_id, **fields)], ignore_conflicts=True)


def _stop_waiting(task_id: str, reason: str, request: Any) -> bool:
    """End a run that was not started; an earlier attempt's message, come again, says nothing of it."""
    if not Run.objects.filter(pk=task_id, attempt=request.retries + 1).exists():
        return False
    not_run = NOT_RUN[reason]
    return bool(cancel_runs([task_id], because=not_run.label, not_run=not_run))


def _is_put_back(task_id: str, error: WorkerLostError, request: Any) -> bool:
    """Give the run of a lost worker its next attempt.

    Returns:
        False if there is none left, or the run has ended.
    """
    run = Run.objects.select_related("task_result").filter(pk=task_id).first()
    if run is None or run.task_result.status in states.READY_STATES:
        return False
    result = run.task_result
    if result.status == states.STARTED and result.worker == request.hostname:
        return _is_tried_again(Claim(task_id, result.worker, result.date_started), error)
    # The worker was lost before it claimed the run: only the message is gone, if it was not an old one.
    again_at = timezone.now() + lost_pause(run.hand_overs)
    waiting = Run.objects.filter(pk=task_id, attempt=request.retries + 1, task_result__status__in=WAITING)
    waiting.update(hand_over_at=again_at)
    return True


def _is_tried_again(lost: Claim, error: WorkerLostError) -> bool:
    try:
        return give_up_attempt(lost, words=str(error))
    except ClaimLost:
        # Rescue was quicker.
        return True
