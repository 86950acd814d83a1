"""The list of what runs again and again: when next, what came of it, and what can be done."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold.paginator import InfinitePaginator

from scheduling import catalogue, schedules
from scheduling.admin.dialogs import row_buttons
from scheduling.admin.empty_lists import SCHEDULES, empty_words
from scheduling.admin.outcome_views import last_outcome, strip
from scheduling.admin.schedule_actions import ScheduleActions
from scheduling.admin.schedule_page import SchedulePage
from scheduling.admin.schedule_tabs import PARAMETER, TabFilter, TaskFilter, tabs
from scheduling.lateness import why_late
from scheduling.models import Recurrence, RecurringTask
from scheduling.outcomes import newest_runs
from scheduling.templatetags.moments import brief, countdown, duration
from scheduling.wording import in_words


@admin.register(RecurringTask)
class PeriodicTaskAdmin(ScheduleActions, SchedulePage):
    """The list of recurring schedules."""

    list_display = ("schedule_name", "when", "next_run", "last_run", "outcomes", "buttons")
    list_filter = (TabFilter, TaskFilter)
    list_before_template = "scheduling/schedule_tabs.html"
    list_per_page = 50
    list_disable_select_all = True
    list_fullwidth = True
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ("name", "description")
    search_help_text = "Name, task or reason"
    ordering = (F("recurrence__next_due_at").asc(nulls_last=True),)

    class Media:
        css = {"all": ("scheduling/schedules.css",)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Add the tabs with their counts."""
        return super().changelist_view(request, {**(extra_context or {}), "tabs": tabs(request)})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a task by its words too: they are not in the database."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        named = [
            name for name in catalogue.all_tasks() if search_term.lower() in catalogue.words_of(name).lower()
        ]
        if search_term and named:
            found |= queryset.filter(Q(task__in=named))
        return found, duplicates

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with everything its rows show, in a number of queries that does not grow."""
        found = super().get_changelist_instance(request)
        found.result_list = self._described(request, found.result_list)
        found.empty_words = empty_words(request, SCHEDULES, parameter=PARAMETER)
        # The tabs are filters to Django, but not among those that its button opens.
        found.has_active_filters = TaskFilter.parameter_name in request.GET
        return found

    def _described(self, request: HttpRequest, rows: Sequence[Any] | QuerySet[Any]) -> list[Any]:
        rows = list(rows)
        now = timezone.now()
        newest = newest_runs([row.name for row in rows])
        for row in rows:
            row.rules = getattr(row, "recurrence", None) or Recurrence()
        is_late = any(row.rules.next_due_at and row.rules.next_due_at < now for row in rows)
        why = why_late(now=now) if is_late else ""
        for row in rows:
            row.late_because = why
            row.runs = newest[row.name]
            row.html_buttons = self._row_buttons(request, row)
        return rows

    def _row_buttons(self, request: HttpRequest, row: Any) -> str:
        if schedules.is_retired(row):
            return ""
        names = ("run-now", "pause" if row.enabled else "resume")
        return row_buttons(self, request, row, names, about=row.name)

    @admin.display(description="Name", ordering="name")
    def schedule_name(self, row: Any) -> SafeString:
        """Return its name and task, and who owns it if that is code."""
        words = catalogue.words_of(row.task)
        told = (words if words != row.name else "", "defined in code" if row.rules.in_code else "")
        return format_html("{}<small>{}</small>", row.name, ", ".join(filter(None, told)))

    @admin.display(description="Schedule")
    def when(self, row: Any) -> str:
        """Return when it runs in words."""
        return in_words(row)

    @admin.display(description="Next run", ordering="recurrence__next_due_at")
    def next_run(self, row: Any) -> SafeString | str:
        """Return when it runs next, or why it does not."""
        rules, now = row.rules, timezone.now()
        if rules.retired_at:
            return format_html("retired<small>taken out of the code</small>")
        if not row.enabled:
            until = f"until {brief(rules.paused_until)}" if rules.paused_until else ""
            return format_html("<strong>paused</strong> {}<small>{}</small>", until, rules.pause_reason)
        if rules.next_due_at is None:
            return "no run is to come"
        if rules.next_due_at < now:
            late = duration(now - rules.next_due_at)
            return format_html(
                '<span class="late">late by {}</span><small>{}</small>', late, row.late_because
            )
        skipped = "will be skipped" if rules.skip_at == rules.next_due_at else brief(rules.next_due_at)
        return format_html("{}<small>{}</small>", countdown(rules.next_due_at), skipped)

    @admin.display(description="Last run", empty_value="never ran")
    def last_run(self, row: Any) -> SafeString | None:
        """Return what came of its last run."""
        return last_outcome(row.runs)

    @admin.display(description="Last 20")
    def outcomes(self, row: Any) -> SafeString:
        """Return its newest outcomes at a glance."""
        return strip(row.runs)

    @admin.display(description=mark_safe('<span class="sr-only">Actions</span>'))
    def buttons(self, row: Any) -> str:
        """Return what can be done with it."""
        return str(row.html_buttons)
