"""The task result viewer: every run, from when it is due, and what became of it."""

from collections.abc import Sequence
from typing import Any

from celery import states
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from django_celery_results.models import TaskResult
from unfold.admin import ModelAdmin

from scheduling.admin.empty_lists import RUNS, empty_words
from scheduling.admin.failures import FailuresView
from scheduling.admin.newest_first import KeyPaginator, NewestFirst
from scheduling.admin.run_actions import CHOSEN
from scheduling.admin.run_buttons import bulk_buttons, buttons_of
from scheduling.admin.run_page import RunPage, percent_done
from scheduling.admin.run_search import search_runs
from scheduling.admin.run_verbs import ACTIONS
from scheduling.admin.states import NOTHING, between, figure, run_of, state_badge
from scheduling.admin.task_result_filters import (
    CauseFilter,
    PeriodFilter,
    ScheduleFilter,
    StateFilter,
    TaskFilter,
    WorkerFilter,
    state_tabs,
)
from scheduling.catalogue import words_of
from scheduling.runs import UNFINISHED, WAITING
from scheduling.subjects import describe
from scheduling.templatetags.moments import ago

TICK_ALL = format_html('<input type="checkbox" id="tick-all" aria-label="{}">', "Tick all on this page")

ROW_ACTIONS = ("run-again", "cancel", "stop")
"""Those a row has a button for; its page has them all."""

LONG_TEXTS = (
    "task_args",
    "task_kwargs",
    "result",
    "traceback",
    "meta",
    "run__args",
    "run__kwargs",
    "run__options",
    "run__reason",
)
"""What the list never shows: reading it made the list of a large table slow."""


admin.site.unregister(TaskResult)


@admin.register(TaskResult)
class TaskResultAdmin(ModelAdmin):
    """Runs are written by the machinery alone: none is added, edited or deleted by hand."""

    list_display_links = ("task",)
    list_display = (
        "task",
        "state",
        "whom",
        "schedule",
        "attempts",
        "waited",
        "ran",
        "on_worker",
        "when",
    )
    list_filter = (StateFilter, TaskFilter, ScheduleFilter, WorkerFilter, PeriodFilter, CauseFilter)
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    list_select_related = ("run",)
    list_before_template = "scheduling/task_results_before.html"
    paginator = KeyPaginator
    search_fields = ("task_id",)
    search_help_text = "Id, subject or task"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    actions = None
    actions_on_top = False

    class Media:
        css = {"all": ("scheduling/viewer.css",)}
        js = ("scheduling/live.js",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        """Return the list that pages by key."""
        return NewestFirst

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with the subjects its rows show, in one query for each kind."""
        found = super().get_changelist_instance(request)
        names = [run.subject if (run := run_of(row)) else "" for row in found.result_list]
        subjects = describe(names)
        for row, name in zip(found.result_list, names, strict=True):
            row.subject = subjects.get(name)
            row.buttons = buttons_of(request, row, names=ROW_ACTIONS)
        found.empty_words = empty_words(request, RUNS, parameter=StateFilter.parameter_name)
        return found

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """Offer boxes to tick and buttons to whoever may do something with them."""
        columns = super().get_list_display(request)
        if any(request.user.has_perm(action.permission) for action in ACTIONS.values()):
            return ("tick", *columns, "buttons")
        return columns

    def get_urls(self) -> list[URLPattern]:
        """Add the page of failures and the actions' dialogs."""
        failures = self.admin_site.admin_view(FailuresView.as_view(model_admin=self))
        return [
            path("failures/", failures, name="django_celery_results_taskresult_failures"),
            *self._action_urls(),
            *super().get_urls(),
        ]

    def _action_urls(self) -> list[URLPattern]:
        return [
            path(
                f"act/{name}/",
                self.admin_site.admin_view(action.as_view(model_admin=self)),
                name=f"django_celery_results_taskresult_{name}",
            )
            for name, action in ACTIONS.items()
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskResult]:
        """Return runs without their long texts."""
        return super().get_queryset(request).select_related("run").defer(*LONG_TEXTS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TaskResult], search_term: str
    ) -> tuple[QuerySet[TaskResult], bool]:
        """Find by id, subject, task or schedule, each by its index."""
        return search_runs(queryset, search_term.strip()), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with a tab for each state."""
        response = super().changelist_view(request, {"title": "Task results", **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data:
            response.context_data["state_tabs"] = state_tabs(response.context_data["cl"], request)
            response.context_data["bulk_actions"] = bulk_buttons(request)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one run; its address takes the task id as well as the number."""
        return self.run_view(request, object_id)

    @method_decorator(require_safe)
    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show one run."""
        result = self.get_object(request, unquote(object_id))
        if result is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, result):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "result": result,
            "title": words_of(result.task_name),
            "page": RunPage(result),
            "list_filters": request.GET.get("_changelist_filters", ""),
            "actions": buttons_of(request, result),
            "media": self.media,
        }
        return TemplateResponse(request, "scheduling/run.html", context)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> TaskResult | None:
        """Find a run, whole, by its number or its task id."""
        rows = TaskResult.objects.select_related("run")
        numbered = object_id.isdecimal() and len(object_id) < 19
        return rows.filter(**({"pk": object_id} if numbered else {"task_id": object_id})).first()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs come from schedules, plans and code."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: TaskResult | None = None) -> bool:
        """A result is what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TaskResult | None = None) -> bool:
        """Runs are deleted by age alone."""
        return False

    @admin.display(description=TICK_ALL)
    def tick(self, result: TaskResult) -> SafeString:
        """Show a box that chooses the run for an action."""
        box = '<input type="checkbox" class="run-tick" name="{}" value="{}" aria-label="Tick {}">'
        return format_html(box, CHOSEN, result.pk, words_of(result.task_name))

    @admin.display(description="task")
    def task(self, result: TaskResult) -> SafeString:
        """Show the task in words, and what it failed with."""
        run = run_of(result)
        return format_html(
            '<span data-run="{}">{}</span>{}',
            result.pk,
            words_of(result.task_name),
            format_html('<small title="{0}">{0}</small>', run.error) if run and run.error else "",
        )

    @admin.display(description="state")
    def state(self, result: TaskResult) -> SafeString:
        """Show the state, and for a running one how far it is."""
        run = run_of(result)
        if result.status != states.STARTED or run is None or run.progress_current is None:
            return state_badge(result)
        context = {"run": run, "percent": percent_done(run)}
        return state_badge(result) + render_to_string("scheduling/progress.html", context)

    @admin.display(description="for")
    def whom(self, result: Any) -> str | SafeString:
        """Show whom the run is about."""
        subject = result.subject
        if subject is None:
            return NOTHING
        return (
            format_html('<a href="{}">{}</a>', subject.url, subject.label) if subject.url else subject.label
        )

    @admin.display(description="schedule")
    def schedule(self, result: TaskResult) -> str | SafeString:
        """Show the schedule, linked to all its runs; a delayed run's key says no more than its subject."""
        name = result.periodic_task_name
        run = run_of(result)
        if not name or (run and run.subject):
            return NOTHING
        address = reverse("admin:django_celery_results_taskresult_changelist")
        return format_html('<a href="{}?{}">{}</a>', address, urlencode({"schedule": name}), name)

    @admin.display(description="try")
    def attempts(self, result: TaskResult) -> SafeString:
        """Show which attempt it is at."""
        run = run_of(result)
        return figure(run.attempt if run else 1)

    @admin.display(description="waited")
    def waited(self, result: TaskResult) -> SafeString:
        """Show the time from due to start, or so far."""
        run = run_of(result)
        if run is None or run.not_run_because:
            return figure("")
        end = timezone.now() if result.status in WAITING else result.date_started
        return figure(between(run.due_at, end))

    @admin.display(description="ran")
    def ran(self, result: TaskResult) -> SafeString:
        """Show the time from the last start to the end, or so far."""
        if result.status in WAITING:
            return figure("")
        end = timezone.now() if result.status in UNFINISHED else result.date_done
        return figure(between(result.date_started, end))

    @admin.display(description="worker")
    def on_worker(self, result: TaskResult) -> str | SafeString:
        """Show who ran it."""
        name = result.worker
        if not name:
            return NOTHING
        return format_html('<span title="{}">{}</span>', name, name.removeprefix("celery@"))

    @admin.display(description="when")
    def when(self, result: TaskResult) -> SafeString:
        """Show when it ended, or started, or was due."""
        run = run_of(result)
        return figure(
            ago(result.date_done or result.date_started or (run.due_at if run else result.date_created))
        )

    @admin.display(description=format_html('<span class="sr-only">{}</span>', "Actions"))
    def buttons(self, result: Any) -> SafeString:
        """Show what can be done about the run."""
        rows = (
            ("", render_to_string("scheduling/action_button.html", {"action": one})) for one in result.buttons
        )
        return format_html_join("", "{}{}", rows)
