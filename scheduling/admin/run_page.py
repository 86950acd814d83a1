"""What the page of one run shows."""

import json
from typing import Any

from celery import states
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django_celery_results.models import TaskResult

from scheduling.admin.relatives import Relative, relatives_of
from scheduling.admin.run_arguments import ShownArgument, readable, shown_arguments_of
from scheduling.admin.run_steps import Step, steps_of
from scheduling.admin.states import run_of, state_badge
from scheduling.admin.tracebacks import Traceback, read_traceback
from scheduling.catalogue import all_tasks, words_of
from scheduling.causes import error_line
from scheduling.explaining import Cause, explain
from scheduling.models import Attempt, RecurringTask, Run
from scheduling.runs import UNFINISHED, WAITING
from scheduling.subjects import Subject, describe


class RunPage:
    """One run as its page shows it: six statements, what its arguments name, and why it still waits."""

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

    @property
    def tracebacks(self) -> list[tuple[Attempt, Traceback | None]]:
        """The attempts that failed, with where each went wrong."""
        return [(attempt, read_traceback(attempt.traceback)) for attempt in self.attempts]

    @cached_property
    def causes(self) -> list[Cause]:
        """Why it has not started, if it waits."""
        return explain(self.run, now=self.now) if self.run else []

    @cached_property
    def relatives(self) -> list[Relative]:
        """The runs it has to do with."""
        return relatives_of(self.run) if self.run else []

    @property
    def steps(self) -> list[Step]:
        """Its way from planned to done, with how long each step took."""
        return steps_of(self.result, self.run, self.attempts)

    @cached_property
    def schedule_url(self) -> str:
        """The page of the schedule it is a run of, as long as there is one."""
        name = self.result.periodic_task_name
        if not name or self.subject:
            return ""
        schedule = RecurringTask.objects.filter(name=name).values_list("pk", flat=True).first()
        return reverse("admin:scheduling_recurringtask_change", args=[schedule]) if schedule else ""

    @cached_property
    def arguments(self) -> list[ShownArgument]:
        """The arguments by name, as people may see them."""
        return list(shown_arguments_of(self.result, self.run, self.task))

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
        return readable(self.outcome)

    @property
    def error(self) -> str:
        """What went wrong, in a line."""
        outcome = self.outcome
        if self.result.status == states.SUCCESS or not isinstance(outcome, dict):
            return ""
        # The line that the lists show, if there is one: Celery keeps an exception only in parts.
        kept = self.run.error if self.run and self.result.status == states.FAILURE else ""
        return kept or error_line(outcome)

    @cached_property
    def traceback(self) -> Traceback | None:
        """Where it went wrong."""
        return read_traceback(self.result.traceback)


def percent_done(run: Run) -> int | None:
    """Return how much of a run is done, in percent, if it says so."""
    if run.progress_current is None or not run.progress_total:
        return None
    return min(100 * run.progress_current // run.progress_total, 100)
