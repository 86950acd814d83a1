"""The dashboard's charts, as Chart.js reads them, and the same as a table for those who cannot see them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import states
from django.core.cache import cache
from django.db.models import Count, F, Q
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.formats import date_format

from backoffice.dashboard.figures import AGES, Debt, Sales
from backoffice.dashboard.period import Period
from backoffice.dashboard.work import LATE
from scheduling.models import Run

BAR = "var(--color-primary-500)"
BEFORE = "var(--color-base-400)"
NEEDS_YOU = "var(--needs-you)"
FAILED = "var(--failed)"
HOURS = 24
RUNS_CHART = "dashboard:runs"
RUNS_CHART_SECONDS = 60


@dataclass(frozen=True)
class Series:
    """One row of figures."""

    name: str
    values: Sequence[float]
    colour: str
    as_line: bool = False

    def dataset(self) -> dict[str, Any]:
        """Return it as Chart.js reads it."""
        line = {"type": "line", "borderWidth": 1.5, "pointRadius": 0, "tension": 0.2} if self.as_line else {}
        return {
            "label": self.name,
            "data": list(self.values),
            "backgroundColor": self.colour,
            "borderColor": self.colour,
            "maxTicksXLimit": 6,
            "maxBarThickness": 24,
            **line,
        }


@dataclass(frozen=True)
class Chart:
    """Series over the same labels."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]

    @property
    def data(self) -> str:
        """The chart as JSON."""
        datasets = [each.dataset() for each in self.series]
        return json.dumps({"labels": list(self.labels), "datasets": datasets})

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(each.values) for each in self.series)

    @property
    def rows(self) -> list[tuple[str, list[float]]]:
        """The same as a table."""
        return [
            (label, [each.values[index] for each in self.series]) for index, label in enumerate(self.labels)
        ]


def revenue_chart(sales: Sales, period: Period, currency: str) -> Chart:
    """Return the revenue of each day over that of the day as far back."""
    days, before = period.each_day(), period.before.each_day()
    return Chart(
        f"Revenue by day, {currency}",
        [date_format(day, "j M") for day in days],
        [
            Series("this period", [float(sales.revenue.get(day, 0)) for day in days], BAR),
            Series(
                "the one before", [float(sales.revenue.get(day, 0)) for day in before], BEFORE, as_line=True
            ),
        ],
    )


def debt_chart(debt: Debt, currency: str) -> Chart:
    """Return what is owed by how long it has been overdue."""
    return Chart(
        f"Owed by age, {currency}",
        AGES,
        [Series("owed", [float(debt.amounts[age]) for age in AGES], BAR)],
    )


def runs_chart(now: datetime) -> Chart:
    """Return how many runs of each of the last 24 hours were done, failed and late.

    Counted once a minute for everybody: it reads all runs of a day, which a busy day has many of.
    """
    chart: Chart | None = cache.get(RUNS_CHART)
    if chart is None:
        chart = _count_runs(now)
        cache.set(RUNS_CHART, chart, RUNS_CHART_SECONDS)
    return chart


def _count_runs(now: datetime) -> Chart:
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    done = Q(task_result__status=states.SUCCESS)
    late = Q(task_result__date_started__gt=F("due_at") + LATE)
    rows = (
        Run.objects.filter(due_at__gte=first, due_at__lt=now)
        .annotate(hour=TruncHour("due_at"))
        .order_by()
        .values_list("hour")
        .annotate(
            done=Count("pk", filter=done & ~late),
            late=Count("pk", filter=done & late),
            failed=Count("pk", filter=Q(task_result__status=states.FAILURE)),
        )
    )
    counts = {hour: rest for hour, *rest in rows}
    hours = [timezone.localtime(first + timedelta(hours=passed)) for passed in range(HOURS)]
    columns = zip(*(counts.get(hour, [0, 0, 0]) for hour in hours), strict=True)
    looks = (("done", BAR), ("done, late", NEEDS_YOU), ("failed", FAILED))
    return Chart(
        "Runs by hour",
        [f"{hour:%H:%M}" for hour in hours],
        [Series(name, column, colour) for (name, colour), column in zip(looks, columns, strict=True)],
    )
