"""What the list of task results can be narrowed to; every filter has an index to go by."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery import states
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_celery_results.models import TaskResult
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, TextFilter

from scheduling.catalogue import all_tasks, words_of
from scheduling.models import Process
from scheduling.runs import WAITING

STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("Waiting", WAITING),
    "running": ("Running", (states.STARTED,)),
    "failed": ("Failed", (states.FAILURE,)),
    "done": ("Done", (states.SUCCESS,)),
    "cancelled": ("Cancelled", (states.REVOKED,)),
}
"""The tabs: the word in the address, the title, Celery's states."""

COUNTED_AT_MOST = 999

PERIODS = {
    "15m": ("Last 15 minutes", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}


class StateFilter(RadioFilter):
    """Waiting, running, failed, done, cancelled: also the tabs over the list."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the states."""
        return [(value, title) for value, (title, _) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to one of the tabs."""
        _, statuses = STATES.get(self.value() or "", ("", ()))
        return queryset.filter(status__in=statuses) if statuses else queryset


class TaskFilter(DropdownFilter):
    """Which task; the choices are those the code has, not what the table holds."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the registered tasks, without Celery's own."""
        names = (name for name in all_tasks() if not name.startswith("celery."))
        return sorted(((name, words_of(name)) for name in names), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to a task."""
        return queryset.filter(task_name=self.value()) if self.value() else queryset


class ScheduleFilter(TextFilter):
    """Which schedule or key, by its exact name: only that has an index."""

    title = "schedule (its exact name)"
    parameter_name = "schedule"

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to the runs of one schedule."""
        return queryset.filter(periodic_task_name=self.value()) if self.value() else queryset


class WorkerFilter(DropdownFilter):
    """Which worker; the choices are those that live, any name works in the address."""

    title = "worker"
    parameter_name = "worker"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the workers that have a heartbeat, and the one asked for."""
        workers = Process.objects.filter(kind=Process.Kind.WORKER).order_by("name")
        names = list(workers.values_list("name", flat=True))
        asked = request.GET.get(self.parameter_name)
        return [(name, name) for name in [*names, *([asked] if asked and asked not in names else [])]]

    def has_output(self) -> bool:
        """Filter also while no worker lives."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to what one worker ran."""
        return queryset.filter(worker=self.value()) if self.value() else queryset


class CauseFilter(TextFilter):
    """Which cause of failure, of those that were not run again; the page of failures links to it."""

    title = "cause of failure (its code)"
    parameter_name = "cause"

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to failures that are alike."""
        return queryset.filter(run__cause=self.value(), run__again_as="") if self.value() else queryset


class PeriodFilter(RadioFilter):
    """How long ago it was due."""

    title = "period"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the periods, shortest first."""
        return [(value, title) for value, (title, _) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult] | None:
        """Narrow to what was due since."""
        if self.value() not in PERIODS:
            return queryset
        _, length = PERIODS[str(self.value())]
        return queryset.filter(date_created__gte=timezone.now() - length)


def state_tabs(changelist: ChangeList, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the tabs over the list, each with a count that stops counting.

    One bounded statement for each state that is watched; none for the two that only grow.
    """
    chosen = request.GET.get("state", "")
    others = changelist.get_queryset(request, exclude_parameters=["state"]).order_by()
    tabs = [
        {
            "title": title,
            "address": changelist.get_query_string({"state": value}),
            "active": chosen == value,
            "count": _capped(others.filter(status__in=statuses)) if value in _COUNTED else "",
            "alarm": value == "failed",
        }
        for value, (title, statuses) in STATES.items()
    ]
    everything = {"title": "All", "address": changelist.get_query_string(remove=["state"])}
    return [*tabs, {**everything, "active": chosen not in STATES}]


_COUNTED = ("waiting", "running", "failed")


def _capped(rows: QuerySet[TaskResult]) -> str:
    count = rows.values("pk")[: COUNTED_AT_MOST + 1].count()
    return f"{COUNTED_AT_MOST}+" if count > COUNTED_AT_MOST else str(count)
