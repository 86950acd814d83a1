"""What waits to run once, by due time: why, for whom, and postpone, do now, cancel."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.paginator import InfinitePaginator

from scheduling import catalogue, subjects
from scheduling.admin.dialogs import FutureMomentField, ReasonForm, dialog, finish, row_buttons, row_of
from scheduling.admin.empty_lists import DELAYED, empty_words
from scheduling.admin.timing_form import ONCE
from scheduling.cancelling import cancel
from scheduling.exceptions import SchedulingError
from scheduling.lateness import why_late
from scheduling.models import DelayedTask
from scheduling.planning import postpone
from scheduling.runs import subject_of
from scheduling.templatetags.moments import brief, countdown, duration, exact, relative


class DelayedDialog(BaseDialogForm):
    """A question about one delayed task."""

    @property
    def about(self) -> str:
        """The task in words, for whom it is, and when it is due."""
        row = row_of(DelayedTask, self.object_id)
        if row is None:
            return ""
        whom = subjects.describe([subject_of(row.name)]).get(subject_of(row.name))
        what = f"{catalogue.words_of(row.task)} for {whom.label}" if whom else catalogue.words_of(row.task)
        return f"{what}, due {relative(row.clocked.clocked_time)}"


class DoNowForm(DelayedDialog):
    """Asks for nothing but a yes."""


class CancelForm(DelayedDialog, ReasonForm):
    """Asks why."""


class PostponeForm(DelayedDialog):
    """Asks for another time."""

    to = FutureMomentField(label="Run it at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        row = row_of(DelayedTask, self.object_id)
        self.fields["to"].help_text = f"On the clock of {zone}. Earlier is fine too."
        self.fields["to"].initial = row.clocked.clocked_time if row else None


@admin.register(DelayedTask)
class DelayedTaskAdmin(ModelAdmin):
    """The list of delayed tasks; each is planned by code or by hand, and changed only by verbs."""

    list_display = ("when", "what", "whom", "why", "planned_by", "buttons")
    list_display_links = ("what",)
    list_per_page = 50
    list_disable_select_all = True
    list_fullwidth = True
    actions = None
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ("name__startswith",)
    search_help_text = 'A key or how it starts: "order:123"'
    ordering = ("clocked__clocked_time",)
    sortable_by = ()
    actions_detail = ("postpone", "do_now", "cancel")
    fields = ("what", "whom", "when", "why", "planned_by", "arguments", "key")
    readonly_fields = fields

    class Media:
        css = {"all": ("scheduling/schedules.css",)}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with everything its rows show, in a number of queries that does not grow."""
        found = super().get_changelist_instance(request)
        found.result_list = self._described(request, found.result_list)
        found.empty_words = empty_words(request, DELAYED)
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return one described like a row of the list."""
        row = super().get_object(request, object_id, from_field)
        return self._described(request, [row])[0] if row else None

    def _described(self, request: HttpRequest, rows: Sequence[Any] | QuerySet[Any]) -> list[Any]:
        now = timezone.now()
        rows = list(rows)
        whom = subjects.describe(subject_of(row.name) for row in rows)
        late = why_late(now=now) if any(row.clocked.clocked_time < now for row in rows) else ""
        for row in rows:
            row.subject = whom.get(subject_of(row.name))
            row.late_because = late
            row.group = group_of(row.clocked.clocked_time, now=now)
            row.words = catalogue.words_of(row.task)
            row.html_buttons = row_buttons(
                self, request, row, ("postpone", "do-now", "cancel"), about=row.words
            )
        return rows

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Plan one by hand: the form of schedules has a kind that runs once."""
        return redirect(f"{reverse(f'{self.admin_site.name}:scheduling_recurringtask_add')}?kind={ONCE}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the reader may schedule."""
        return request.user.has_perm("scheduling.add_recurringtask")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is edited in place: an edit is a verb, with its dialog and its trace."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """One that is not to run is cancelled: that asks why, and is kept among the results."""
        return False

    def has_postpone_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may move a delayed task."""
        return request.user.has_perm("scheduling.change_delayedtask")

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may make one due."""
        return request.user.has_perm("scheduling.run_task")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader may cancel one."""
        return request.user.has_perm("scheduling.cancel_run")

    @admin.display(description="Due")
    def when(self, row: Any) -> SafeString:
        """How long until then, and when exactly."""
        due_at = row.clocked.clocked_time
        if due_at < timezone.now():
            late = duration(timezone.now() - due_at)
            return format_html(
                '<span class="late" title="{}">late by {}</span><small>{}</small>',
                exact(due_at),
                late,
                row.late_because,
            )
        return format_html("{}<small>{}</small>", countdown(due_at), brief(due_at))

    @admin.display(description="What")
    def what(self, row: Any) -> str:
        """Return the task in words."""
        return str(row.words)

    @admin.display(description="For whom", empty_value="—")
    def whom(self, row: Any) -> SafeString | str | None:
        """Return the subject, linked."""
        subject: subjects.Subject | None = row.subject
        if subject and subject.url:
            return format_html('<a href="{}">{}</a>', subject.url, subject.label)
        return subject.label if subject else None

    @admin.display(description="Why", empty_value="—")
    def why(self, row: Any) -> str | None:
        """Return the reason it was planned for."""
        return row.description or None

    @admin.display(description="Planned by", empty_value="—")
    def planned_by(self, row: Any) -> str | None:
        """Return who or what planned it."""
        return json.loads(row.headers or "{}").get("planned_by") or None

    @admin.display(description="Arguments", empty_value="none")
    def arguments(self, row: Any) -> str | None:
        """Return its arguments as people may see them."""
        return catalogue.arguments_in_words(row.task, json.loads(row.kwargs or "{}")) or None

    @admin.display(description="Key")
    def key(self, row: Any) -> str:
        """Return the name it is planned under."""
        return str(row.name)

    @admin.display(description=mark_safe('<span class="sr-only">Actions</span>'))
    def buttons(self, row: Any) -> str:
        """Return what can be done about it."""
        return str(row.html_buttons)

    @action(
        description="Postpone",
        url_path="postpone",
        permissions=["postpone"],
        dialog=dialog("Run it at another time?", submit="Postpone", form=PostponeForm),
    )
    def postpone(self, request: HttpRequest, form: PostponeForm, object_id: str) -> HttpResponse:
        """Move it to another time."""
        to: datetime = form.cleaned_data["to"]
        return self._move(request, object_id, to=to, words=f"moved to {exact(to)}")

    @action(
        description="Do now",
        url_path="do-now",
        permissions=["run"],
        dialog=dialog(
            "Run it now?",
            submit="Do now",
            form=DoNowForm,
            description="It runs within a second or so, with the arguments it was planned with.",
        ),
    )
    def do_now(self, request: HttpRequest, form: DoNowForm, object_id: str) -> HttpResponse:
        """Make it due."""
        return self._move(request, object_id, to=timezone.now(), words="is due now")

    @action(
        description="Cancel",
        url_path="cancel",
        permissions=["cancel"],
        dialog=dialog(
            "Cancel this task?",
            submit="Cancel the task",
            form=CancelForm,
            description="It will not run. What was cancelled, and why, stays among the results.",
        ),
    )
    def cancel(self, request: HttpRequest, form: CancelForm, object_id: str) -> HttpResponse:
        """Cancel it, with proof of what became of it."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._gone(request)
        with transaction.atomic():
            outcome = cancel(row.name, because=form.cleaned_data["reason"])[row.name]
            self.log_change(request, row, f"{outcome.words}: {form.cleaned_data['reason']}")
        level = messages.SUCCESS if outcome.stopped else messages.WARNING
        return finish(request, words=f"{row.words}: {outcome.words}.", url=self._list_url(), level=level)

    def _move(self, request: HttpRequest, object_id: str, *, to: datetime, words: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._gone(request)
        try:
            with transaction.atomic():
                postpone(row.name, to=to)
                self.log_change(request, row, words)
        except SchedulingError:
            return self._gone(request)
        return finish(request, words=f"{row.words} {words}.", url=self._list_url())

    def _gone(self, request: HttpRequest) -> HttpResponse:
        words = "It no longer waits: it was due, or was cancelled. Its result says what became of it."
        return finish(request, words=words, url=self._list_url(), level=messages.WARNING)

    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:scheduling_delayedtask_changelist")


def group_of(due_at: datetime, *, now: datetime) -> str:
    """Return under which heading a due time stands."""
    days = (timezone.localdate(due_at) - timezone.localdate(now)).days
    if due_at < now:
        return "Late"
    if days == 0:
        return "Today"
    return "The next 7 days" if days <= 7 else "Later"
