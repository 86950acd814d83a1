"""What can be done about runs: each in a dialog that says the number first, each with its permission."""

import copy
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views import View
from django_celery_results.models import TaskResult
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from scheduling.admin.dialogs import finish
from scheduling.admin.states import run_of
from scheduling.catalogue import words_of
from scheduling.exceptions import SchedulingError
from scheduling.rerunning import AT_MOST
from scheduling.subjects import describe

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


class RunAction(View):
    """One action on runs: the ticked ones, or all that match the list's filter up to a limit.

    Attributes:
        permission: who may.
        eligible: the states a run can be in for it.
        form_class: what its dialog asks.
        title: the dialog's question, with the number in it.
        submit: the words on its button, with what stands for the runs in it.
    """

    model_admin: Any = None
    permission = ""
    eligible: Sequence[str] = ()
    form_class: type[RunActionForm] = RunActionForm
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
        choices = [value for value, _ in self._choices]
        which = form.cleaned_data.get("which")
        ids = self._ids(which if which in choices else choices[0])
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

    def _form(self, data: Any = None) -> forms.Form:
        return self.form_class(request=self.request, data=data, choices=self._choices)

    def _show(self, form: forms.Form) -> HttpResponse:
        count = len(self._ids(self._choices[0][0]))
        words = "this run" if "one" in self.request.GET else f"{count:,} run{'' if count == 1 else 's'}"
        dialog = {"title": self.title.format(runs=words), "description": self.describe()}
        form.about = self.about()  # type: ignore[attr-defined]
        submit = self.submit.format(them="it" if count == 1 else "them")
        return render(
            self.request,
            "unfold/helpers/dialog.html",
            {"dialog": dialog, "form": form, "form_submit_text": submit},
        )

    def about(self) -> str:
        """Return what one run is about; several are told by their number."""
        found = TaskResult.objects.select_related("run").filter(task_id__in=self._chosen[:1])
        result = found.first() if "one" in self.request.GET else None
        if result is None:
            return ""
        run = run_of(result)
        whom = describe([run.subject]).get(run.subject) if run else None
        return f"{words_of(result.task_name)} for {whom.label}" if whom else words_of(result.task_name)

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
