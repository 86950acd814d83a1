"""What the page of one run shows."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import states
from django.utils import timezone
from django.utils.functional import cached_property
from django_celery_results.models import TaskResult

from scheduling.admin.relatives import Relative, relatives_of
from scheduling.admin.states import between, run_of, state_badge
from scheduling.admin.tracebacks import Traceback
from scheduling.catalogue import all_tasks, words_of
from scheduling.causes import error_line
from scheduling.explaining import Cause, explain
from scheduling.models import Attempt, Run
from scheduling.runs import UNFINISHED, WAITING, shown_arguments
from scheduling.subjects import Subject, describe


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


class RunPage:
    """One run as its page shows it: five statements, whatever it went through."""

    def __init__(self, result: TaskResult) -> None:
        """Show a task result that was read whole, with its run."""
        self.result = result
        self.run = run_of(result)
        self.task = all_tasks().get(result.task_name)
        self.now = timezone.now()

    @property
    def task_words(self) -> str:
        """The task as staff call it."""
        return words_of(self.result.task_name)

    @property
    def state(self) -> str:
        """The state as a badge."""
        return state_badge(self.result)

    @cached_property
    def subject(self) -> Subject | None:
        """Whom it is about."""
        subject = self.run.subject if self.run else ""
        return describe([subject]).get(subject)

    @property
    def is_waiting(self) -> bool:
        """Whether it has not started, or is to be tried again."""
        return self.result.status in WAITING

    @property
    def is_running(self) -> bool:
        """Whether a worker has it."""
        return bool(self.result.status == states.STARTED)

    @property
    def is_unfinished(self) -> bool:
        """Whether it is still to end."""
        return self.result.status in UNFINISHED

    @property
    def progress(self) -> int | None:
        """How much of it is done, in percent, if it says so."""
        return percent_done(self.run) if self.run else None

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The attempts that failed, oldest first."""
        return list(self.run.attempts.all()) if self.run else []

    @cached_property
    def causes(self) -> list[Cause]:
        """Why it has not started, if it waits."""
        return explain(self.run, now=self.now) if self.run else []

    @cached_property
    def relatives(self) -> list[Relative]:
        """The runs it has to do with."""
        return relatives_of(self.run) if self.run else []

    @cached_property
    def steps(self) -> list[Step]:
        """The run's way from due to done, with how long each step took."""
        steps: list[Step] = []
        for step in self._steps():
            before = steps[-1].at if steps else None
            took = between(before, step.at)
            steps.append(Step(step.words, step.at, took, step.note, step.look))
        return steps

    def _steps(self) -> Iterator[Step]:
        run, result = self.run, self.result
        if run is None:
            yield Step("Recorded", result.date_created)
        elif run.not_run_because:
            yield Step("Due", run.due_at)
            yield Step(run.get_not_run_because_display().capitalize(), result.date_done, note=run.reason)
            return
        else:
            yield Step("Due", run.due_at, note=run.reason)
        if run and not self.attempts:
            yield self._handed_over(run)
        for attempt in self.attempts:
            yield Step(f"Attempt {attempt.number} started", attempt.started_at, note=attempt.worker)
            yield Step(
                f"Attempt {attempt.number} failed", attempt.ended_at, note=attempt.error, look="failed"
            )
        yield from self._end()

    def _handed_over(self, run: Run) -> Step:
        if run.handed_over_at is None:
            return Step("Not yet handed to the broker", None)
        again = f"{run.hand_overs} times" if run.hand_overs > 1 else ""
        return Step("Handed to the broker", run.handed_over_at, note=again)

    def _end(self) -> Iterator[Step]:
        result = self.result
        if self.is_waiting:
            if self.attempts and self.run:
                yield Step(f"Attempt {self.run.attempt} waits", self.run.hand_over_at)
            return
        if result.date_started:
            which = f"Attempt {self.run.attempt} started" if self.attempts and self.run else "Started"
            yield Step(which, result.date_started, note=result.worker or "")
        if self.is_running:
            yield Step("Running", None, look="running")
        elif result.status == states.SUCCESS:
            yield Step("Done", result.date_done, look="done")
        elif result.status == states.FAILURE:
            yield Step("Failed", result.date_done, look="failed")
        else:
            yield Step("Stopped", result.date_done, look="cancelled")

    @cached_property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments by name, as people may see them."""
        if self.run is None:
            return [("positional", self.result.task_args or ""), ("named", self.result.task_kwargs or "")]
        given = {**dict(zip(self._positions(), self.run.args, strict=False)), **self.run.kwargs}
        return [(name.replace("_", " "), _readable(value)) for name, value in self._shown(given).items()]

    def _shown(self, given: dict[str, Any]) -> dict[str, Any]:
        return shown_arguments(self.task, given)

    def _positions(self) -> list[str]:
        """Name the positional arguments by the task's signature, as far as it goes."""
        count = len(self.run.args) if self.run else 0
        names = list(inspect.signature(self.task.run).parameters) if self.task else []
        return [*names[:count], *(f"argument {place + 1}" for place in range(len(names), count))]

    @cached_property
    def outcome(self) -> Any:
        """The stored result, decoded."""
        try:
            return json.loads(self.result.result) if self.result.result else None
        except ValueError:
            return self.result.result

    @property
    def returned(self) -> str:
        """What the task returned, if it is done and returned something."""
        if self.result.status != states.SUCCESS or self.outcome is None:
            return ""
        return _readable(self.outcome)

    @property
    def error(self) -> str:
        """What went wrong, in a line."""
        outcome = self.outcome
        if self.result.status == states.SUCCESS or not isinstance(outcome, dict):
            return ""
        return error_line(outcome)

    @cached_property
    def traceback(self) -> Traceback | None:
        """Where it went wrong."""
        text = self.result.traceback
        return Traceback(text) if text and text.strip() else None


def percent_done(run: Run) -> int | None:
    """Return how much of a run is done, in percent, if it says so."""
    if run.progress_current is None or not run.progress_total:
        return None
    return min(100 * run.progress_current // run.progress_total, 100)


def _readable(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)
