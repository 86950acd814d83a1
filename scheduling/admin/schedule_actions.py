"""What staff do with recurring schedules, one or many: each verb has a dialog, a permission and a trace."""

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from scheduling import schedules
from scheduling.admin.dialogs import FutureMomentField, ReasonForm, dialog, finish, row_of
from scheduling.exceptions import SchedulingError
from scheduling.models import RecurringTask
from scheduling.templatetags.moments import exact
from scheduling.wording import in_words

Verb = Callable[[RecurringTask], str]
"""Does something to a schedule and returns what it did, in words."""


class ScheduleDialog(BaseDialogForm):
    """A question about one schedule, or about several."""

    @property
    def about(self) -> str:
        """The schedule in words; nothing for several, which the page lists."""
        row = row_of(RecurringTask, self.object_id)
        return f"{row.name}, {in_words(row)}" if row else ""


class YesForm(ScheduleDialog):
    """Asks for nothing but a yes."""


class RunNowForm(YesForm):
    """Carries what tells a form that is sent twice from two wishes."""

    token = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)


class PauseForm(ScheduleDialog, ReasonForm):
    """Asks why, and until when."""

    until = FutureMomentField(
        required=False, label="Until", help_text="Empty: until somebody resumes it. On your own clock."
    )


class DuplicateForm(ScheduleDialog):
    """Asks what the copy is called."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        row = row_of(RecurringTask, self.object_id)
        self.fields["name"].initial = copy_name(row) if row else ""


def copy_name(row: RecurringTask) -> str:
    """Return what a copy of a schedule is called unless somebody says otherwise."""
    return f"{row.name[:190]} (copy)"


def by(request: HttpRequest) -> str:
    """Return who asks, as runs keep it."""
    return str(request.user)


def run_now(row: RecurringTask, *, request: HttpRequest, form: forms.Form) -> str:
    """Run it once more."""
    schedules.run_now(row, by=by(request), token=form.cleaned_data["token"])
    return "runs now"


def pause(row: RecurringTask, *, form: forms.Form) -> str:
    """Pause it, with a reason."""
    reason, until = form.cleaned_data["reason"], form.cleaned_data["until"]
    schedules.pause(row, reason=reason, until=until)
    return f"paused until {exact(until)}: {reason}" if until else f"paused: {reason}"


def resume(row: RecurringTask) -> str:
    """Let it go on."""
    schedules.resume(row)
    return "resumed"


def skip_next(row: RecurringTask) -> str:
    """Skip its next run."""
    return f"skips its run of {exact(schedules.skip_next(row))}"


def duplicate(row: RecurringTask, *, name: str) -> str:
    """Copy it."""
    schedules.duplicate(row, name=name)
    return f"copied as {name}, which is paused"


RUN_NOW = dialog(
    "Run it now?",
    submit="Run now",
    form=RunNowForm,
    description="Once more, with the same arguments and options. The next run stays as it is.",
)
PAUSE = dialog(
    "Pause this schedule?",
    submit="Pause",
    form=PauseForm,
    description="What would be due meanwhile does not run, and is not made up for.",
)
RESUME = dialog(
    "Resume this schedule?",
    submit="Resume",
    form=YesForm,
    description="It goes on with the next run. Resuming fires nothing at once.",
)
SKIP = dialog("Skip its next run?", submit="Skip", form=YesForm, description="The one after that runs again.")
DUPLICATE = dialog(
    "Copy this schedule?",
    submit="Copy",
    form=DuplicateForm,
    description="A copy is paused, so that you can change it before it runs.",
)


class ScheduleActions(ModelAdmin):
    """The verbs on one schedule and on those that are ticked in the list."""

    actions_detail = ("run_now", "pause", "resume", "skip_next", "duplicate")
    actions = ("run_ticked", "pause_ticked", "resume_ticked", "skip_ticked", "duplicate_ticked")

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may run tasks."""
        return request.user.has_perm("scheduling.run_task")

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may pause, resume and skip."""
        return request.user.has_perm("scheduling.pause_schedule")

    def has_duplicate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may add schedules."""
        return bool(self.has_add_permission(request))

    @action(description="Run now", url_path="run-now", permissions=["run"], dialog=RUN_NOW)
    def run_now(self, request: HttpRequest, form: RunNowForm, object_id: str) -> HttpResponse:
        """Run it once more."""
        return self._do_one(request, object_id, partial(run_now, request=request, form=form))

    @action(description="Pause", url_path="pause", permissions=["pause"], dialog=PAUSE)
    def pause(self, request: HttpRequest, form: PauseForm, object_id: str) -> HttpResponse:
        """Pause it."""
        return self._do_one(request, object_id, partial(pause, form=form))

    @action(description="Resume", url_path="resume", permissions=["pause"], dialog=RESUME)
    def resume(self, request: HttpRequest, form: YesForm, object_id: str) -> HttpResponse:
        """Let it go on."""
        return self._do_one(request, object_id, resume)

    @action(description="Skip next", url_path="skip-next", permissions=["pause"], dialog=SKIP)
    def skip_next(self, request: HttpRequest, form: YesForm, object_id: str) -> HttpResponse:
        """Skip its next run."""
        return self._do_one(request, object_id, skip_next)

    @action(description="Duplicate", url_path="duplicate", permissions=["duplicate"], dialog=DUPLICATE)
    def duplicate(self, request: HttpRequest, form: DuplicateForm, object_id: str) -> HttpResponse:
        """Copy it."""
        return self._do_one(request, object_id, partial(duplicate, name=form.cleaned_data["name"]))

    @admin.action(description="Run now", permissions=["run"])
    def run_ticked(self, request: HttpRequest, rows: QuerySet[RecurringTask]) -> HttpResponse | None:
        """Run them once more."""
        question = RUN_NOW | {"title": "Run {} now?"}
        return self._ask(request, rows, question, lambda form: partial(run_now, request=request, form=form))

    @admin.action(description="Pause", permissions=["pause"])
    def pause_ticked(self, request: HttpRequest, rows: QuerySet[RecurringTask]) -> HttpResponse | None:
        """Pause them."""
        question = PAUSE | {"title": "Pause {}?"}
        return self._ask(request, rows, question, lambda form: partial(pause, form=form))

    @admin.action(description="Resume", permissions=["pause"])
    def resume_ticked(self, request: HttpRequest, rows: QuerySet[RecurringTask]) -> HttpResponse | None:
        """Let them go on."""
        return self._ask(request, rows, RESUME | {"title": "Resume {}?"}, lambda form: resume)

    @admin.action(description="Skip the next run", permissions=["pause"])
    def skip_ticked(self, request: HttpRequest, rows: QuerySet[RecurringTask]) -> HttpResponse | None:
        """Skip the next run of each."""
        return self._ask(request, rows, SKIP | {"title": "Skip the next run of {}?"}, lambda form: skip_next)

    @admin.action(description="Duplicate", permissions=["duplicate"])
    def duplicate_ticked(self, request: HttpRequest, rows: QuerySet[RecurringTask]) -> HttpResponse | None:
        """Copy each."""
        question = DUPLICATE | {"title": "Copy {}?", "form_class": YesForm}
        return self._ask(
            request, rows, question, lambda form: lambda row: duplicate(row, name=copy_name(row))
        )

    def _do_one(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            url, words = self._list_url(), "This schedule is gone."
            return finish(request, words=words, url=url, level=messages.WARNING)
        level, words = self._do(request, row, verb)
        url = reverse(f"{self.admin_site.name}:scheduling_recurringtask_change", args=[row.pk])
        return finish(request, words=words, url=url, level=level)

    def _do(self, request: HttpRequest, row: RecurringTask, verb: Verb) -> tuple[int, str]:
        try:
            with transaction.atomic():
                words = verb(row)
                self.log_change(request, row, words)
        except SchedulingError as error:
            return messages.ERROR, f"{row.name}: {error}"
        return messages.SUCCESS, f"{row.name} {words}."

    def _ask(
        self,
        request: HttpRequest,
        rows: QuerySet[RecurringTask],
        question: Any,
        verb_of: Callable[[forms.Form], Verb],
    ) -> HttpResponse | None:
        """Show the dialog for several, how many in its title, and do it once it is confirmed."""
        confirmed = "_form_submitted" in request.POST
        form = question["form_class"](data=request.POST if confirmed else None, request=request)
        if form.is_valid():
            self._do_all(request, rows, verb_of(form))
            return None
        count = f"{len(rows)} schedule{pluralize(len(rows))}"
        context = {
            **self.admin_site.each_context(request),
            "title": question["title"].format(count),
            "question": question,
            "form": form,
            "rows": rows,
            "opts": self.opts,
            "action": request.POST["action"],
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "scheduling/ask.html", context)

    def _do_all(self, request: HttpRequest, rows: Iterable[RecurringTask], verb: Verb) -> None:
        outcomes = [self._do(request, row, verb) for row in rows]
        done = sum(level == messages.SUCCESS for level, _ in outcomes)
        if done:
            messages.success(request, f"Done for {done} of {len(outcomes)} schedules.")
        for level, words in outcomes:
            if level == messages.ERROR:
                messages.error(request, words)

    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:scheduling_recurringtask_changelist")
