"""The tabs over the list of schedules: whose they are, and which need a look."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from scheduling import catalogue
from scheduling.models import Recurrence

PARAMETER = "show"
LATE = timedelta(seconds=5)


class Tab(NamedTuple):
    """One tab over the list."""

    title: str
    number: int
    address: str
    is_open: bool


def conditions() -> dict[str, tuple[str, Q]]:
    """Return for each tab its title and which recurrences it shows."""
    late = timezone.now() - LATE
    alive = Q(retired_at=None)
    return {
        "": ("All", Q()),
        "staff": ("Staff's", alive & Q(in_code=False)),
        "code": ("In code", Q(in_code=True)),
        "paused": ("Paused", alive & Q(periodic_task__enabled=False)),
        "late": ("Late", Q(next_due_at__lt=late)),
        "never": ("Never ran", alive & Q(periodic_task__total_run_count=0)),
        "retired": ("Retired", Q(retired_at__isnull=False)),
    }


def tabs(request: HttpRequest) -> list[Tab]:
    """Return the tabs with their counts, in one query over the recurring schedules alone."""
    known = conditions()
    counts = Recurrence.objects.aggregate(
        **{name or "all": Count("pk", filter=which) for name, (_, which) in known.items()}
    )
    open_tab = request.GET.get(PARAMETER, "")
    return [
        Tab(title, counts[name or "all"], f"?{PARAMETER}={name}" if name else "?", name == open_tab)
        for name, (title, _) in known.items()
        if counts[name or "all"] or name != "retired"
    ]


class TabFilter(SimpleListFilter):
    """Keeps the rows of the open tab; its links are the tabs, not the filters beside the list."""

    title = "tab"
    parameter_name = PARAMETER
    template = "scheduling/no_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the tabs."""
        return [(name, title) for name, (title, _) in conditions().items() if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the open tab."""
        name = self.value()
        if not name:
            return queryset
        _, which = conditions()[name]
        return queryset.filter(recurrence__in=Recurrence.objects.filter(which))


class TaskFilter(SimpleListFilter):
    """Keeps the schedules of one task."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the tasks there are, in words; none is asked of the database."""
        own = [name for name in catalogue.all_tasks() if not name.startswith("celery.")]
        return sorted(((name, catalogue.words_of(name)) for name in own), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the schedules of the task."""
        return queryset.filter(task=self.value()) if self.value() else queryset
