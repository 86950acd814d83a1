"""The result backend: one statement a state, and never backwards."""

from typing import Any

from celery import states
from celery.exceptions import WorkerLostError
from celery.utils.log import get_logger
from django.db import transaction
from django.utils import timezone
from django_celery_results.backends.database import DatabaseBackend as StockBackend
from django_celery_results.models import TaskResult

from scheduling.causes import error_line
from scheduling.claims import Claim
from scheduling.encoding import CONTENT_ENCODING, CONTENT_TYPE, encode
from scheduling.exceptions import ClaimLost
from scheduling.failures import record_failure
from scheduling.models import Run
from scheduling.retrying import LOST_PAUSE, give_up_attempt

logger = get_logger(__name__)


class DatabaseBackend(StockBackend):
    """django-celery-results' backend, reading as it does and writing as our claims demand.

    A claimed run is ended by its claim (`scheduling.execution`); what arrives here besides are
    failures after the body, and states told from outside the run: a lost worker, a time limit.
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
        if claim is None:
            self._store_unclaimed(task_id, result, status, traceback)
        elif claim.ended:
            self._add_return_value(claim, result, status)
        else:
            self._end(claim, result, status, traceback)
        return result

    def _end(self, claim: Claim, result: Any, status: str, traceback: str | None) -> None:
        try:
            with transaction.atomic():
                claim.end(status, result=encode(result), traceback=traceback)
                _record_failure(claim.task_id, status, result)
        except ClaimLost as error:
            logger.warning("%s", error)

    def _add_return_value(self, claim: Claim, result: Any, status: str) -> None:
        """A task that is not atomic succeeds with its effect and returns its value after that."""
        if status == states.SUCCESS and not claim.returned:
            TaskResult.objects.filter(task_id=claim.task_id).update(result=encode(result))

    def _store_unclaimed(self, task_id: str, result: Any, status: str, traceback: str | None) -> None:
        ended = status in states.READY_STATES
        fields = {
            "status": status,
            "result": encode(result),
            "traceback": traceback,
            "content_type": CONTENT_TYPE,
            "content_encoding": CONTENT_ENCODING,
            **({"date_done": timezone.now()} if ended else {}),
        }
        known = TaskResult.objects.filter(task_id=task_id)
        if known.exclude(status__in=states.READY_STATES).update(**fields):
            _record_failure(task_id, status, result)
            return
        if known.exists():
            return
        TaskResult.objects.bulk_create([TaskResult(task_id=task_id, **fields)], ignore_conflicts=True)

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
        if isinstance(exc, WorkerLostError) and self._give_up_attempt(task_id, exc):
            return
        super().mark_as_failure(task_id, exc, traceback, request, store_result, call_errbacks, state)

    def _give_up_attempt(self, task_id: str, error: WorkerLostError) -> bool:
        known = TaskResult.objects.filter(task_id=task_id).first()
        if known is None or known.status in states.READY_STATES:
            return False
        if known.status != states.STARTED:
            # The worker was lost before it claimed the run: only the message is gone.
            return bool(Run.objects.filter(pk=task_id).update(hand_over_at=timezone.now() + LOST_PAUSE))
        try:
            return give_up_attempt(Claim(task_id, known.worker, known.date_started), words=str(error))
        except ClaimLost:
            return False

    def cleanup(self) -> None:
        """Nothing: old runs are pruned by state and age, in batches, by a task of ours."""


def _record_failure(task_id: str, status: str, result: Any) -> None:
    if status == states.FAILURE and isinstance(result, dict):
        record_failure(task_id, error_line(result))
