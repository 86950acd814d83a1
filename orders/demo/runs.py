"""Runs of the past: how they went, written as worker and scheduler would have written them."""

import traceback
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from celery import states
from django_celery_results.models import TaskResult

from scheduling.causes import digest_of
from scheduling.encoding import encode, encode_error
from scheduling.models import Attempt, Run
from scheduling.planning import Plan
from scheduling.runs import build_result, insert_runs, run_id, subject_of

WORKER = "celery@demo"
HAND_OVER = timedelta(milliseconds=180)
WAIT = timedelta(milliseconds=40)
RETRY_PAUSES = (30, 60, 120, 240, 480)
"""Seconds before each further attempt of a task that e-mails."""


def raised(error: Exception) -> Exception:
    """Return an exception that was raised once, and so has a traceback to show."""
    try:
        raise error
    except type(error):
        return error


def task_id_of(plan: Plan) -> str:
    """Return the id of a plan's run."""
    return run_id(key=plan.key, due_at=plan.at)


@dataclass
class Records:
    """The runs so far, to be stored at once."""

    runs: list[Run] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    planned_at: dict[str, datetime] = field(default_factory=dict)
    """By the plans' keys."""

    def store(self) -> None:
        """Store them, in a few statements, the newest last, as they would have come."""
        insert_runs(sorted(self.runs, key=lambda run: run.task_result.date_created))
        Attempt.objects.bulk_create(self.attempts)

    def succeeded(
        self, plan: Plan, words: str, *, seconds: float, after: tuple[BaseException, ...] = ()
    ) -> None:
        """Record a run that succeeded.

        Args:
            words: what the task returned.
            seconds: how long its last attempt took.
            after: what the attempts before it failed with.
        """
        started_at = self._attempts(plan, after)
        result = _result(plan, states.SUCCESS, started_at, started_at + timedelta(seconds=seconds))
        result.result = encode(words)
        self._add(plan, result, attempt=len(after) + 1)

    def failed(self, plan: Plan, error: BaseException, *, attempts: int = 1) -> None:
        """Record a run that was given up after so many attempts."""
        started_at = self._attempts(plan, (error,) * (attempts - 1))
        result = _result(plan, states.FAILURE, started_at, started_at + timedelta(seconds=2.1))
        result.result, result.traceback = encode_error(error), _trace(error)
        line = _line(error)
        self._add(plan, result, attempt=attempts, error=line, cause=digest_of(plan.task.name, line))

    def not_run(self, plan: Plan, because: Run.NotRun, words: str, *, at: datetime) -> None:
        """Record a run that never started, with the reason and when that was decided."""
        result = build_result(
            task_id=task_id_of(plan),
            task_name=plan.task.name,
            key=plan.key,
            shown_kwargs=plan.kwargs,
            status=states.REVOKED,
            error=words,
        )
        result.date_created = result.date_done = at
        self._add(plan, result, not_run_because=because, reason=words, hand_overs=0, handed_over_at=None)

    def _attempts(self, plan: Plan, errors: tuple[BaseException, ...]) -> datetime:
        """Record the attempts that failed, and return when the one after them started."""
        started_at = plan.at + HAND_OVER + WAIT
        for number, (error, pause) in enumerate(zip(errors, RETRY_PAUSES, strict=False), 1):
            ended_at = started_at + timedelta(seconds=2.1)
            self.attempts.append(
                Attempt(
                    run_id=task_id_of(plan),
                    number=number,
                    started_at=started_at,
                    ended_at=ended_at,
                    worker=WORKER,
                    error=_line(error),
                    traceback=_trace(error),
                )
            )
            started_at = ended_at + timedelta(seconds=pause)
        return started_at

    def _add(self, plan: Plan, result: TaskResult, **fields: Any) -> None:
        known = {
            "subject": subject_of(plan.key),
            "planned_at": self.planned_at.get(plan.key),
            "due_at": plan.at,
            "kwargs": plan.kwargs,
            "queue": "celery",
            "reason": plan.reason,
            "planned_by": plan.planned_by,
            "handed_over_at": plan.at + HAND_OVER,
            "hand_overs": 1,
        }
        self.runs.append(Run(task_result=result, **{**known, **fields}))


def _result(plan: Plan, status: str, started_at: datetime, done_at: datetime) -> TaskResult:
    result = build_result(
        task_id=task_id_of(plan),
        task_name=plan.task.name,
        key=plan.key,
        shown_kwargs=plan.kwargs,
        status=status,
    )
    result.worker = WORKER
    result.date_created, result.date_started, result.date_done = plan.at, started_at, done_at
    return result


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
