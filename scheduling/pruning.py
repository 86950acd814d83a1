"""Deleting old runs: by state and age, in batches, never an unfinished one."""

from datetime import datetime, timedelta

from celery import states
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import GroupResult, TaskResult

from scheduling.models import Attempt, Run

BATCH = 1000


def prune_runs(*, keep_succeeded: timedelta, keep_others: timedelta) -> tuple[int, int]:
    """Delete the runs that ended longer ago than they are to be kept.

    Args:
        keep_succeeded: for runs that succeeded.
        keep_others: for those that failed, were cancelled or missed; longer, as people look for them.

    Returns:
        How many of each were deleted.
    """
    now = timezone.now()
    others = sorted(states.READY_STATES - {states.SUCCESS})
    _prune_groups(before=now - keep_others)
    _prune_unused_times()
    return (
        _prune([states.SUCCESS], before=now - keep_succeeded),
        _prune(others, before=now - keep_others),
    )


def ended_before(*, keep_succeeded: timedelta, keep_others: timedelta) -> QuerySet[TaskResult]:
    """Return the runs that `prune_runs` would delete now, the oldest first.

    The bound on both kinds together lets the index on the end leave out all that is younger.
    """
    now = timezone.now()
    succeeded = Q(status=states.SUCCESS, date_done__lt=now - keep_succeeded)
    others = Q(status__in=states.READY_STATES - {states.SUCCESS}, date_done__lt=now - keep_others)
    old = TaskResult.objects.filter(date_done__lt=now - min(keep_succeeded, keep_others))
    return old.filter(succeeded | others).order_by("date_done")


def _prune(statuses: list[str], *, before: datetime) -> int:
    deleted = 0
    while batch := _oldest(statuses, before=before):
        deleted += _delete(batch)
    return deleted


def _oldest(statuses: list[str], *, before: datetime) -> list[str]:
    ended = TaskResult.objects.filter(status__in=statuses, date_done__lt=before)
    return list(ended.order_by("date_done").values_list("task_id", flat=True)[:BATCH])


@transaction.atomic
def _delete(task_ids: list[str]) -> int:
    # Table by table and without signals: Django's own cascade would load every row first.
    for rows in (
        Attempt.objects.filter(run__in=task_ids),
        Run.objects.filter(pk__in=task_ids),
        TaskResult.objects.filter(task_id__in=task_ids),
    ):
        deleted = rows._raw_delete(rows.db)
    return int(deleted)


def _prune_groups(*, before: datetime) -> None:
    ended = (
        GroupResult.objects.filter(date_done__lt=before).order_by("date_done").values_list("pk", flat=True)
    )
    while batch := list(ended[:BATCH]):
        GroupResult.objects.filter(pk__in=batch).delete()


def _prune_unused_times() -> None:
    """Delete times without a periodic task: two that planned the same key at once leave one over."""
    passed = ClockedSchedule.objects.filter(clocked_time__lt=timezone.now())
    # `NOT IN` would read all that waits once for each: minutes, beside 300,000.
    unused = passed.filter(~Exists(PeriodicTask.objects.filter(clocked=OuterRef("pk"))))
    unused._raw_delete(unused.db)
