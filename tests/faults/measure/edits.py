"""P10: schedules are edited in every way there is, and the scheduler is to notice soon."""

import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from scheduling.models import Recurrence
from tests.faults.cluster import Cluster, wait_until
from tests.faults.effects.tasks import leave_effect
from tests.faults.stage import Stage

LIMIT_SECONDS = 5
WAIT_SECONDS = 15
SPREAD_SECONDS = 0.3


def notice_edits(stage: Stage, n: int) -> dict[str, float]:
    """Edit schedules that are due in a day so that they are due within the hour.

    Args:
        n: how many edits, by `save()`, `update()` and SQL in turn.
    """
    daily = IntervalSchedule.objects.create(every=1, period="days")
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    rows = [
        PeriodicTask.objects.create(
            name=f"schedule {number}", task=leave_effect.name, interval=daily, kwargs='{"order": "any"}'
        )
        for number in range(n)
    ]
    with Cluster() as cluster:
        cluster.add_scheduler("scheduler")
        cluster.wait_until_alive()
        wait_until(lambda: Recurrence.objects.filter(next_due_at__isnull=False).count() == n, seconds=60)
        times = sorted(_notice(row, hourly, WAYS[number % 3]) for number, row in enumerate(rows))
    return {
        "edits": len(times),
        "median s": round(times[len(times) // 2], 2),
        "p95 s": round(times[int(len(times) * 0.95)], 2),
        "over 5 s": sum(seconds > LIMIT_SECONDS for seconds in times),
    }


def _notice(row: PeriodicTask, hourly: IntervalSchedule, edit: Callable[..., None]) -> float:
    """Make one edit, and return the seconds until the schedule is due by it."""
    time.sleep(random.random() * SPREAD_SECONDS)
    edit(row, hourly)
    began = time.monotonic()
    soon = timezone.now() + timedelta(hours=1, minutes=1)
    due_soon = Recurrence.objects.filter(pk=row.pk, next_due_at__lt=soon)
    wait_until(due_soon.exists, seconds=WAIT_SECONDS, pause=0.02)
    return time.monotonic() - began


def _save(row: PeriodicTask, interval: IntervalSchedule) -> None:
    row.interval = interval
    row.save()


def _update(row: PeriodicTask, interval: IntervalSchedule) -> None:
    PeriodicTask.objects.filter(pk=row.pk).update(interval=interval)


def _execute(row: PeriodicTask, interval: IntervalSchedule) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_celery_beat_periodictask SET interval_id = %s WHERE id = %s", [interval.pk, row.pk]
        )


WAYS = (_save, _update, _execute)
