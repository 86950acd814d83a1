"""The actions on runs: run again, cancel, stop, delete old, halt."""

from collections.abc import Collection, Sequence
from typing import Any

from celery import states
from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django_celery_results.models import TaskResult
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from scheduling.admin.argument_forms import ArgumentForm
from scheduling.admin.dialogs import ReasonForm
from scheduling.admin.run_actions import RunAction, RunActionForm
from scheduling.admin.run_arguments import arguments_by_name
from scheduling.cancelling import cancel_runs
from scheduling.catalogue import schedulable_task, words_of
from scheduling.exceptions import InvalidPlan
from scheduling.models import Process, Rerun, Run
from scheduling.planning import plan
from scheduling.pruning import ended_before
from scheduling.rerunning import AT_MOST, FAILURES_ALLOWED, Again, halt, run_again, run_many_again
from scheduling.runs import WAITING
from scheduling.stopping import stop_runs
from scheduling.tasks import prune_results

PACE = 10
"""So many a minute, unless staff choose another."""


class RunAgainForm(RunActionForm):
    """Asks how fast."""

    per_minute = forms.IntegerField(
        label="How many a minute",
        min_value=1,
        max_value=1000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"Empty: all at once. The rest halts by itself once {FAILURES_ALLOWED} fail again.",
    )


class WithReasonForm(RunActionForm, ReasonForm):
    """Asks why."""


class RunAgain(RunAction):
    """Run what has ended again, with the arguments it had."""

    permission = "scheduling.run_task"
    eligible = tuple(states.READY_STATES)
    form_class = RunAgainForm
    title = "Run {runs} again?"
    description = "With the same arguments, as new runs; the old ones stay in the list."
    submit = "Run again"

    def matching(self) -> QuerySet[TaskResult]:
        """Leave out what was run again already."""
        return super().matching().filter(Q(run__again_as="") | Q(run=None))

    def _form(self, data: Any = None) -> forms.Form:
        form = super()._form(data)
        if "one" in self.request.GET:
            del form.fields["per_minute"]
        elif "cause" in self.request.GET:
            # They have failed alike before: better to see how the first of them do.
            form.fields["per_minute"].initial = PACE
        return form

    def about(self) -> str:
        """Return the cause, if it is one that failed alike."""
        if "cause" in self.request.GET and "one" not in self.request.GET:
            return self._words(self._matching)
        return super().about()

    def _words(self, task_ids: Sequence[str]) -> str:
        """Say what is run again: by cause, as it is one thing then."""
        if "cause" not in self.request.GET or not task_ids:
            return f"{len(task_ids)} runs"
        run = Run.objects.select_related("task_result").get(pk=task_ids[0])
        return f"{words_of(run.task_result.task_name)}: {run.error}"

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Put them back."""
        pace = form.cleaned_data.get("per_minute")
        how = Again(by=self.by, token=self.token, per_minute=pace)
        if "one" in self.request.GET and len(task_ids) == 1:
            new = run_again(task_ids[0], how=how)
            page = reverse("admin:django_celery_results_taskresult_change", args=[new.pk])
            return "It is being run again: this is the new run.", page
        count = run_many_again(task_ids, how=how, words=self._words(task_ids)).total
        speed = f", {pace} a minute" if pace else ""
        left_out = len(task_ids) - count
        rest = f" {left_out} cannot be run again: the task is gone, or it has not ended." if left_out else ""
        return f"{count} are being run again{speed}.{rest}", ""


class RunEdited(RunAction):
    """Run one that has ended again with other arguments, typed into fields; catalogued tasks alone."""

    permission = "scheduling.run_task"
    eligible = tuple(states.READY_STATES)
    title = "Run {runs} again with other arguments?"
    submit = "Run again"

    @cached_property
    def _run(self) -> Run:
        if len(self._chosen) != 1:
            raise Http404
        return get_object_or_404(Run.objects.select_related("task_result"), pk=self._chosen[0])

    def _form(self, data: Any = None) -> ArgumentForm:
        try:
            task = schedulable_task(str(self._run.task_result.task_name))
        except InvalidPlan as error:
            raise PermissionDenied(str(error)) from error
        return ArgumentForm(task, data, kwargs=arguments_by_name(self._run, task))

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Put it back with what was typed."""
        how = Again(by=self.by, token=self.token)
        new = run_again(self._run.pk, how=how, kwargs=form.kwargs)
        page = reverse("admin:django_celery_results_taskresult_change", args=[new.pk])
        return "It is being run again with the arguments you gave: this is the new run.", page


class Cancel(RunAction):
    """Cancel what waits."""

    permission = "scheduling.cancel_run"
    eligible = WAITING
    form_class = WithReasonForm
    title = "Cancel {runs}?"
    description = "What has not started never will. It stays in the list, with your reason."
    submit = "Cancel {them}"

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Cancel them, and say what became of each."""
        reason = f"{form.cleaned_data['reason']} ({self.by})"
        return _proof(cancel_runs(task_ids, because=reason), task_ids, "cancelled before it started"), ""


class Stop(RunAction):
    """Stop what runs."""

    permission = "scheduling.cancel_run"
    eligible = (states.STARTED,)
    form_class = WithReasonForm
    title = "Stop {runs}?"
    submit = "Stop {them}"

    def describe(self) -> str:
        """Say what stopping does, and where it cannot."""
        words = (
            "Nothing more of what it does to the database is kept, and its process ends within seconds. "
            "What has left the house, such as an e-mail, stays sent."
        )
        return " ".join(filter(None, (words, _goes_on(self._ids(self._choices[0][0])))))

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Stop them, and say what became of each."""
        reason = f"{form.cleaned_data['reason']} (stopped by {self.by})"
        stopped = stop_runs(task_ids, because=reason)
        return " ".join(filter(None, (_proof(stopped, task_ids, "stopped"), _goes_on(stopped)))), ""


class DeleteOld(RunAction):
    """Delete what ended longer ago than it is to be kept, at once instead of at night."""

    permission = "django_celery_results.delete_taskresult"
    form_class = RunActionForm
    title = "Delete old runs now?"
    submit = "Delete"

    @property
    def _choices(self) -> list[tuple[str, str]]:
        return [("old", "All that are old")]

    def _ids(self, which: str) -> list[str]:
        return []

    def describe(self) -> str:
        """Say the rule, and how many it means."""
        count = ended_before(
            keep_succeeded=settings.SCHEDULING_KEEP_SUCCEEDED, keep_others=settings.SCHEDULING_KEEP_OTHERS
        )[: AT_MOST + 1].count()
        many = f"more than {AT_MOST:,}" if count > AT_MOST else str(count)
        return (
            f"Runs that succeeded are kept {settings.SCHEDULING_KEEP_SUCCEEDED.days} days, all others "
            f"{settings.SCHEDULING_KEEP_OTHERS.days} days. Now {many} are older than that. "
            "They cannot be brought back."
        )

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Plan the task that does it every night for now."""
        now = timezone.now()
        plan(
            f"Prune old runs, asked for at {now}",
            prune_results,
            at=now,
            reason="asked for",
            planned_by=self.by,
        )
        return "Old runs are being deleted.", ""


class Halt(RunAction):
    """Take back the rest of what is being run again at a pace."""

    permission = "scheduling.cancel_run"
    form_class = WithReasonForm
    title = "Halt this rerun?"
    description = "What has not started is taken back, and counts as failed again."
    submit = "Halt"

    @property
    def _choices(self) -> list[tuple[str, str]]:
        return [("rest", "The rest")]

    def _ids(self, which: str) -> list[str]:
        return []

    def _back(self) -> str:
        return reverse("admin:django_celery_results_taskresult_failures")

    @cached_property
    def _rerun(self) -> Rerun:
        key = self.request.GET.get("rerun", "")
        return get_object_or_404(Rerun, pk=key if key.isdecimal() else None)

    def about(self) -> str:
        """Return what is being run again."""
        return self._rerun.words

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Halt it."""
        count = halt(self._rerun, because=f"{form.cleaned_data['reason']} ({self.by})")
        return f"{count} {'was' if count == 1 else 'were'} taken back.", ""


def _goes_on(task_ids: Collection[str]) -> str:
    """Say which of the runs cannot be ended from outside, by the names of their workers."""
    workers = TaskResult.objects.filter(task_id__in=task_ids).values("worker")
    unable = Process.objects.filter(kind=Process.Kind.WORKER, can_stop=False, name__in=workers)
    names = ", ".join(unable.order_by("name").values_list("name", flat=True)[:5])
    if not names:
        return ""
    return (
        f"On {names} it goes on to its end all the same, without effect on the database: "
        "that worker has no processes to end."
    )


def _proof(done: set[str], task_ids: Sequence[str], words: str) -> str:
    late = len(task_ids) - len(done)
    if len(task_ids) == 1:
        return f"It was {words}." if done else "It was too late: it had moved on meanwhile."
    proof = f"{len(done)} {'was' if len(done) == 1 else 'were'} {words.replace('it ', 'they ')}."
    return f"{proof} For {late} it was too late: they had moved on." if late else proof


ACTIONS: dict[str, type[RunAction]] = {
    "run-again": RunAgain,
    "run-edited": RunEdited,
    "cancel": Cancel,
    "stop": Stop,
    "delete-old": DeleteOld,
    "halt": Halt,
}
"""By their part of the address."""
