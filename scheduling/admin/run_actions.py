"""What can be done about runs: each in a dialog that says the number first, each with its permission."""

import copy
import uuid
from collections.abc import Sequence
from typing import Any

from celery import states
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views import View
from django_celery_results.models import TaskResult
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminRadioSelectWidget

from scheduling.admin.dialogs import ReasonForm, finish
from scheduling.cancelling import cancel_runs
from scheduling.exceptions import SchedulingError
from scheduling.models import Process
from scheduling.planning import plan
from scheduling.pruning import ended_before
from scheduling.rerunning import AT_MOST, FAILURES_ALLOWED, Again, run_again, run_many_again
from scheduling.runs import WAITING
from scheduling.stopping import stop_runs
from scheduling.tasks import prune_results

CHOSEN = "_selected_action"
"""The ids of the ticked rows, as Django's own check boxes name them."""

OWN_PARAMETERS = (CHOSEN, "token", "one")


class RunActionForm(BaseDialogForm):
    """Asks which runs, if a list offers more than the ticked ones."""

    which = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget, label="Which")

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["which"].choices = choices
        self.fields["which"].initial = choices[0][0] if choices else None
        if len(choices) < 2:
            del self.fields["which"]


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


class RunAction(View):
    """One action on runs: the ticked ones, or all that match the list's filter up to a limit.

    Attributes:
        permission: who may.
        eligible: the states a run can be in for it.
        form_class: what its dialog asks.
        title: the dialog's question, with the number in it.
        submit: the word on its button.
    """

    model_admin: Any = None
    permission = ""
    eligible: Sequence[str] = ()
    form_class: type[RunActionForm] = WithReasonForm
    title = ""
    description = ""
    submit = ""

    http_method_names = ("get", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not."""
        if not (self.model_admin.has_view_permission(request) and request.user.has_perm(self.permission)):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the dialog."""
        return self._show(self._form())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do it."""
        form = self._form(request.POST)
        if not form.is_valid():
            return self._show(form)
        ids = self._ids(form.cleaned_data.get("which") or self._choices[0][0])
        try:
            words, url = self.act(ids, form)
        except SchedulingError as error:
            return finish(request, words=str(error), url=self._back(), level=messages.ERROR)
        self._log(ids, words)
        return finish(request, words=words, url=url or self._back())

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Do it to these runs.

        Returns:
            What came of it in words, and the page to go to, if not back.
        """
        raise NotImplementedError

    @property
    def by(self) -> str:
        """Who asks for it."""
        return str(self.request.user)

    @property
    def token(self) -> str:
        """The same for one opening of a page, so that a dialog sent twice acts once."""
        return self.request.GET.get("token") or str(uuid.uuid4())

    def matching(self) -> QuerySet[TaskResult]:
        """Return all runs the list's filter leaves that this can be done to."""
        plain = copy.copy(self.request)
        plain.GET = self._filter()
        found = self.model_admin.get_changelist_instance(plain).get_queryset(plain)
        return found.filter(status__in=self.eligible).order_by("-pk")

    def _filter(self) -> Any:
        parameters = self.request.GET.copy()
        for name in OWN_PARAMETERS:
            parameters.pop(name, None)
        return parameters

    @cached_property
    def _chosen(self) -> list[str]:
        """The ticked runs: for the dialog those it can be done to, then all, to say what came too late."""
        ids = [pk for pk in self.request.GET.getlist(CHOSEN) if pk.isdecimal()]
        found = TaskResult.objects.filter(pk__in=ids[:AT_MOST]).order_by("-pk")
        if self.request.method == "GET":
            found = found.filter(status__in=self.eligible)
        return list(found.values_list("task_id", flat=True))

    @cached_property
    def _matching(self) -> list[str]:
        return list(self.matching().values_list("task_id", flat=True)[: AT_MOST + 1])

    @cached_property
    def _choices(self) -> list[tuple[str, str]]:
        chosen = (
            [("chosen", f"The {len(self._chosen)} that are ticked")] if CHOSEN in self.request.GET else []
        )
        if "one" in self.request.GET:
            return chosen
        count = len(self._matching)
        words = f"All {count} that match the filter"
        if count > AT_MOST:
            words = f"The newest {AT_MOST:,} that match the filter; there are more"
        return [*chosen, ("matching", words)]

    def _ids(self, which: str) -> list[str]:
        return self._chosen if which == "chosen" else self._matching[:AT_MOST]

    def _form(self, data: Any = None) -> RunActionForm:
        return self.form_class(request=self.request, data=data, choices=self._choices)

    def _show(self, form: forms.Form) -> HttpResponse:
        count = len(self._ids(self._choices[0][0]))
        words = "this run" if "one" in self.request.GET else f"{count:,} run{'' if count == 1 else 's'}"
        dialog = {"title": self.title.format(runs=words), "description": self.describe()}
        return render(
            self.request,
            "unfold/helpers/dialog.html",
            {"dialog": dialog, "form": form, "form_submit_text": self.submit},
        )

    def describe(self) -> str:
        """Return what to know before."""
        return self.description

    def _back(self) -> str:
        if "one" in self.request.GET and self._chosen_ids:
            return reverse("admin:django_celery_results_taskresult_change", args=self._chosen_ids[:1])
        return f"{reverse('admin:django_celery_results_taskresult_changelist')}?{self._filter().urlencode()}"

    @property
    def _chosen_ids(self) -> list[str]:
        return self.request.GET.getlist(CHOSEN)

    def _log(self, task_ids: Sequence[str], words: str) -> None:
        """Write it to the audit trail of each run."""
        LogEntry.objects.log_actions(
            self.request.user.pk or 0, TaskResult.objects.filter(task_id__in=task_ids), CHANGE, words
        )


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

    def _form(self, data: Any = None) -> RunActionForm:
        form = super()._form(data)
        if "one" in self.request.GET:
            del form.fields["per_minute"]
        return form

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Put them back."""
        pace = form.cleaned_data.get("per_minute")
        how = Again(by=self.by, token=self.token, per_minute=pace)
        if "one" in self.request.GET and len(task_ids) == 1:
            new = run_again(task_ids[0], how=how)
            page = reverse("admin:django_celery_results_taskresult_change", args=[new.pk])
            return "It is being run again: this is the new run.", page
        count = run_many_again(task_ids, how=how, words=f"{len(task_ids)} runs").total
        speed = f", {pace} a minute" if pace else ""
        left_out = len(task_ids) - count
        rest = f" {left_out} cannot be run again: the task is gone, or it has not ended." if left_out else ""
        return f"{count} are being run again{speed}.{rest}", ""


class Cancel(RunAction):
    """Cancel what waits."""

    permission = "scheduling.cancel_run"
    eligible = WAITING
    title = "Cancel {runs}?"
    description = "What has not started never will. It stays in the list, with your reason."
    submit = "Cancel them"

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Cancel them, and say what became of each."""
        reason = f"{form.cleaned_data['reason']} ({self.by})"
        return _proof(cancel_runs(task_ids, because=reason), task_ids, "cancelled before it started"), ""


class Stop(RunAction):
    """Stop what runs."""

    permission = "scheduling.cancel_run"
    eligible = (states.STARTED,)
    title = "Stop {runs}?"
    submit = "Stop them"

    def describe(self) -> str:
        """Say what stopping does, and where it cannot."""
        words = (
            "Nothing more of what it does to the database is kept, and its process ends within seconds. "
            "What has left the house, such as an e-mail, stays sent."
        )
        unable = Process.objects.filter(kind=Process.Kind.WORKER, can_stop=False)
        names = ", ".join(unable.order_by("name").values_list("name", flat=True)[:5])
        return (
            f"{words} A run on {names} goes on to its end all the same: its pool has no processes to end."
            if names
            else words
        )

    def act(self, task_ids: Sequence[str], form: Any) -> tuple[str, str]:
        """Stop them, and say what became of each."""
        reason = f"{form.cleaned_data['reason']} (stopped by {self.by})"
        return _proof(stop_runs(task_ids, because=reason), task_ids, "stopped"), ""


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
            f"prune:{now.timestamp()}/old-runs", prune_results, at=now, reason="asked for", planned_by=self.by
        )
        return "Old runs are being deleted.", ""


def _proof(done: set[str], task_ids: Sequence[str], words: str) -> str:
    late = len(task_ids) - len(done)
    if len(task_ids) == 1:
        return f"It was {words}." if done else "It was too late: it had moved on meanwhile."
    proof = f"{len(done)} {'was' if len(done) == 1 else 'were'} {words.replace('it ', 'they ')}."
    return f"{proof} For {late} it was too late: they had moved on." if late else proof


ACTIONS: dict[str, type[RunAction]] = {
    "run-again": RunAgain,
    "cancel": Cancel,
    "stop": Stop,
    "delete-old": DeleteOld,
}
"""By their part of the address."""
