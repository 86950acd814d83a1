"""The history of a schedule as its page shows it, a part at a time."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from scheduling.admin.outcome_views import OutcomeRow, row_of
from scheduling.history import History, Page, Place
from scheduling.models import RecurringTask

SIZE = 30
OLDER, NEWER = "before", "after"
"""The parameters of the address; each names a place."""


@dataclass(frozen=True)
class ShownHistory:
    """A part of a history, with the addresses of the parts beside it.

    Args:
        is_part: whether it is not the newest part.
        kept_days: for how long successful runs are kept.
        results_url: the runs of the schedule among all others.
    """

    rows: list[OutcomeRow]
    is_part: bool
    newer: str
    older: str
    kept_days: int
    results_url: str


def shown_history(request: HttpRequest, schedule: RecurringTask) -> ShownHistory:
    """Return the part of a schedule's history that the address asks for, the newest unless it names one."""
    kept = settings.SCHEDULING_KEEP_SUCCEEDED
    page = _page(request, History(periodic_task=schedule, now=timezone.now(), kept=kept, size=SIZE))
    results = reverse("admin:django_celery_results_taskresult_changelist", query={"schedule": schedule.name})
    return ShownHistory(
        rows=[row_of(one, usually=schedule.description) for one in page.occurrences],
        is_part=bool(page.newer),
        newer=f"?{NEWER}={page.newer}" if page.newer else "",
        older=f"?{OLDER}={page.older}" if page.older else "",
        kept_days=kept.days,
        results_url=results,
    )


def _page(request: HttpRequest, history: History) -> Page:
    if place := Place.read(request.GET.get(OLDER, "")):
        return history.before(place)
    if place := Place.read(request.GET.get(NEWER, "")):
        return history.after(place)
    return history.newest()
