"""Beat's rows of delayed runs: what waits, and taking it out."""

from collections.abc import Collection

from django.db.models import QuerySet
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from scheduling.models import Recurrence


def waiting_one_offs() -> QuerySet[PeriodicTask]:
    """Return the delayed runs that are still to come, those that staff paused too."""
    return PeriodicTask.objects.filter(clocked__isnull=False)


def delete_one_offs(periodic_tasks: Collection[PeriodicTask]) -> None:
    """Delete delayed runs and their times, in three statements.

    No signals are sent: beat's own would write the one row of `PeriodicTasks`, a lock shared by
    every transaction that plans or cancels anything.
    """
    ids = [row.pk for row in periodic_tasks]
    _delete_raw(Recurrence.objects.filter(periodic_task__in=ids))
    _delete_raw(PeriodicTask.objects.filter(pk__in=ids))
    delete_unused_times([row.clocked_id for row in periodic_tasks if row.clocked_id])


def delete_unused_times(clocked_ids: Collection[int]) -> None:
    """Delete clocked schedules unless another periodic task still has them."""
    used = PeriodicTask.objects.filter(clocked__in=clocked_ids).values("clocked")
    _delete_raw(ClockedSchedule.objects.filter(pk__in=clocked_ids).exclude(pk__in=used))


def _delete_raw(rows: QuerySet) -> None:  # type: ignore[type-arg]
    rows._raw_delete(rows.db)
