"""Workers, schedulers and queues, without a word to the broker."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from celery import current_app
from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import dateformat, timezone
from unfold.admin import ModelAdmin

from scheduling.alerting import firing_alerts
from scheduling.brokers import broker_of
from scheduling.catalogue import words_of
from scheduling.models import Process
from scheduling.monitoring import (
    ONE_HOUR,
    WAITING_AT_MOST,
    Hour,
    count_by_hour,
    hour_of,
    list_queues,
    list_workers,
)

HOURS_SHOWN = 7 * 24
ENDED_HOURS = "scheduling.ended_hours"

CHART_OPTIONS = json.dumps(
    {
        "maintainAspectRatio": False,
        "animation": False,
        "plugins": {"legend": {"display": True, "align": "end", "labels": {"boxWidth": 12}}},
        "scales": {
            "x": {"stacked": True, "grid": {"display": False}, "ticks": {"maxTicksLimit": 12}},
            "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0, "maxTicksLimit": 5}},
        },
    }
)


@admin.register(Process)
class ProcessAdmin(ModelAdmin):
    """One page for all of them; heartbeats are written by the processes alone."""

    class Media:
        css = {"all": ("scheduling/viewer.css",)}
        js = ("scheduling/live.js",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        workers = list_workers(now=now)
        for worker in workers:
            for result in worker.running:
                result.words = words_of(result.task_name)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": "Workers and queues",
            "media": self.media,
            "workers": [one for one in workers if one.process.kind == Process.Kind.WORKER],
            "schedulers": [one for one in workers if one.process.kind == Process.Kind.SCHEDULER],
            "broker": broker_of(current_app.conf.broker_write_url),
            "queues": list_queues(workers, now=now),
            "waiting_at_most": WAITING_AT_MOST,
            "charts": charts(now=now),
            "chart_options": CHART_OPTIONS,
            "alerts": firing_alerts(now=now),
        }
        return TemplateResponse(request, "scheduling/workers.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A process says itself that it is there."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Process | None = None) -> bool:
        """Nobody else writes a heartbeat."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Process | None = None) -> bool:
        """It signs off, or is forgotten after a day."""
        return False


def last_week(*, now: datetime) -> list[Hour]:
    """Return what ended in each hour of the last week.

    An hour that is over does not change: each is counted once, and then kept.
    """
    first = hour_of(now) - ONE_HOUR * (HOURS_SHOWN - 1)
    ended = [hour for hour in cache.get(ENDED_HOURS, []) if hour.starts_at >= first]
    missing = ended[-1].starts_at + ONE_HOUR if ended else first
    hours = [*ended, *count_by_hour(first=missing, now=now)]
    cache.set(ENDED_HOURS, hours[:-1])
    return hours


def charts(*, now: datetime) -> list[dict[str, Any]]:
    """Return what ended by the hour, over a day and over a week."""
    week = last_week(now=now)
    day = week[-24:]
    return [
        {"title": "Last day, by the hour", "rows": _rows(day, "H:i"), "data": _data(day, "H:i")},
        {
            "title": "Last week, by the day",
            "rows": _rows(_by_day(week), "D j M"),
            "data": _data(_by_day(week), "D j M"),
        },
    ]


def _by_day(hours: Sequence[Hour]) -> list[Hour]:
    """Return days of 24 hours that end with the last one."""
    days = [hours[start : start + 24] for start in range(0, len(hours), 24)]
    return [
        Hour(day[-1].starts_at, sum(hour.done for hour in day), sum(hour.failed for hour in day))
        for day in days
    ]


def _rows(hours: Sequence[Hour], shape: str) -> list[tuple[str, int, int]]:
    return [
        (dateformat.format(timezone.localtime(hour.starts_at), shape), hour.done, hour.failed)
        for hour in hours
    ]


def _data(hours: Sequence[Hour], shape: str) -> str:
    labels, done, failed = zip(*_rows(hours, shape), strict=True)
    return json.dumps(
        {
            "labels": labels,
            "datasets": [
                {"label": "Failed", "data": failed, "backgroundColor": "#dc2626"},
                {"label": "Done", "data": done, "backgroundColor": "var(--color-primary-400)"},
            ],
        }
    )
