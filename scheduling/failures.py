"""Failures: recorded with their cause, and grouped by it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django_celery_results.models import TaskResult

from scheduling.causes import ERROR_LENGTH, digest_of
from scheduling.models import Run
from scheduling.rerunning import halt_if_failing

GROUPS_AT_MOST = 50
NAMED_AT_MOST = 5
"""Of a group's runs so many, the newest, are looked at for the subjects they touch."""


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one cause that were not run again.

    Args:
        cause: the digest they have in common.
        error: what the newest failed with.
        newest_id: the number of its task result.
        subjects: whom the newest ones touch.
        subject_count: how many are touched in all.
    """

    cause: str
    task_name: str
    error: str
    newest_id: int
    count: int
    first_at: datetime
    last_at: datetime
    subjects: tuple[str, ...]
    subject_count: int


def open_failures() -> QuerySet[Run]:
    """Return the failed runs that were not run again."""
    return Run.objects.filter(again_as="").exclude(cause="")


def group_failures(*, since: datetime) -> list[FailureGroup]:
    """Return the open failures by cause, the newest cause first, in two statements.

    Args:
        since: failures that were due earlier are left out.
    """
    recent = open_failures().filter(due_at__gte=since)
    groups = list(
        recent.values("cause")
        .annotate(
            count=Count("pk"),
            first_at=Min("due_at"),
            last_at=Max("due_at"),
            subject_count=Count("subject", distinct=True, filter=~Q(subject="")),
        )
        .order_by("-last_at")[:GROUPS_AT_MOST]
    )
    newest = _newest_of([group["cause"] for group in groups], recent)
    return [_group(newest[group["cause"]], **group) for group in groups if group["cause"] in newest]


def _newest_of(causes: list[str], recent: QuerySet[Run]) -> dict[str, list[Run]]:
    place = Window(RowNumber(), partition_by=F("cause"), order_by=F("due_at").desc())
    rows = recent.filter(cause__in=causes).annotate(place=place).filter(place__lte=NAMED_AT_MOST)
    found: dict[str, list[Run]] = defaultdict(list)
    shown = rows.select_related("task_result").only("cause", "subject", "error", "task_result__task_name")
    for run in shown.order_by("place"):
        found[run.cause].append(run)
    return found


def _group(
    runs: list[Run], *, cause: str, count: int, first_at: datetime, last_at: datetime, subject_count: int
) -> FailureGroup:
    newest = runs[0]
    return FailureGroup(
        cause=cause,
        task_name=newest.task_result.task_name or "",
        error=newest.error,
        newest_id=newest.task_result.pk,
        count=count,
        first_at=first_at,
        last_at=last_at,
        subjects=tuple(dict.fromkeys(run.subject for run in runs if run.subject)),
        subject_count=subject_count,
    )


def record_failure(task_id: str, error: str) -> None:
    """Record what a run failed with; called in the transaction that ends it.

    Args:
        error: what went wrong in a line; see `scheduling.causes.error_line`.
    """
    task_name = TaskResult.objects.filter(task_id=task_id).values_list("task_name", flat=True).first()
    Run.objects.filter(pk=task_id).update(error=error[:ERROR_LENGTH], cause=digest_of(task_name, error))
    halt_if_failing(task_id)
