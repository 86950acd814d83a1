"""A run's way, step by step: planned, due, handed over, each attempt, its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from celery import states
from django_celery_results.models import TaskResult

from scheduling.admin.states import between
from scheduling.models import Attempt, Run
from scheduling.runs import WAITING


@dataclass(frozen=True)
class Step:
    """One step on a run's way.

    Args:
        words: what happened.
        at: when; none if it has not happened.
        took: how long after the step before.
        note: what else there is to say.
        look: "" or one of the state looks, for its colour.
    """

    words: str
    at: datetime | None
    took: str = ""
    note: str = ""
    look: str = ""


def steps_of(result: TaskResult, run: Run | None, attempts: Sequence[Attempt]) -> list[Step]:
    """Return the steps of a run with how long each took after the one before.

    Args:
        run: nothing if only its result is known.
        attempts: those that failed, oldest first.
    """
    way = _Way(result, run, attempts).steps() if run else _foreign(result)
    steps: list[Step] = []
    for step in way:
        before = steps[-1].at if steps else None
        steps.append(replace(step, took=between(before, step.at)))
    return steps


def _foreign(result: TaskResult) -> Iterator[Step]:
    yield Step("Recorded", result.date_created)
    if result.date_started:
        yield Step("Started", result.date_started, note=result.worker or "")
    yield from _end(result, "")


def _end(result: TaskResult, reason: str) -> Iterator[Step]:
    match result.status:
        case states.STARTED:
            yield Step("Running", None, look="running")
        case states.SUCCESS:
            yield Step("Done", result.date_done, look="done")
        case states.FAILURE:
            yield Step("Failed", result.date_done, look="failed")
        case states.REVOKED:
            yield Step("Stopped", result.date_done, note=reason, look="cancelled")


@dataclass(frozen=True)
class _Way:
    """The way of a run of ours."""

    result: TaskResult
    run: Run
    attempts: Sequence[Attempt]

    def steps(self) -> Iterator[Step]:
        """Yield the steps, in the order in which they happened."""
        yield from self._before()
        for attempt in self.attempts:
            yield Step(f"Attempt {attempt.number} started", attempt.started_at, note=attempt.worker)
            yield Step(
                f"Attempt {attempt.number} failed", attempt.ended_at, note=attempt.error, look="failed"
            )
        yield from self._handed_over()
        if self.run.not_run_because:
            words = self.run.get_not_run_because_display().capitalize()
            yield Step(words, self.result.date_done, note=self.run.reason)
            return
        if self.result.status in WAITING:
            return
        if self.result.date_started:
            which = f"Attempt {self.run.attempt} started" if self.attempts else "Started"
            yield Step(which, self.result.date_started, note=self.result.worker or "")
        yield from _end(self.result, self.run.reason)

    def _before(self) -> Iterator[Step]:
        run = self.run
        # Of what was cancelled or stopped, the reason is why, not what for.
        reason = "" if self.result.status == states.REVOKED else run.reason
        if run.planned_at:
            note = ": ".join(filter(None, (f"by {run.planned_by}" if run.planned_by else "", reason)))
            yield Step("Planned", run.planned_at, note=note)
            reason = ""
        yield Step("Due", run.due_at, note=reason)

    def _handed_over(self) -> Iterator[Step]:
        """Yield the last hand-over: of the earlier attempts' none is kept."""
        run = self.run
        since = self.attempts[-1].ended_at if self.attempts else None
        if run.handed_over_at and (since is None or run.handed_over_at >= since):
            again = f"{run.hand_overs} times" if run.hand_overs > 1 else ""
            yield Step("Handed to the broker", run.handed_over_at, note=again)
        elif self.result.status == states.PENDING:
            yield Step("Not yet handed to the broker", None)
        elif self.result.status == states.RETRY:
            yield Step(f"Attempt {run.attempt} waits", run.hand_over_at)
