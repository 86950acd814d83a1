"""How the work goes: who is alive, what each runs, what waits, how much was done; all from the database."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from celery import states
from django.db.models import Count, Min, Q
from django.db.models.functions import TruncHour
from django_celery_results.models import TaskResult

from scheduling.explaining import is_alive
from scheduling.models import Process
from scheduling.runs import WAITING

WAITING_AT_MOST = 10_000
"""So many waiting runs are counted; beyond it a queue simply holds more than that."""

RUNNING_AT_MOST = 200
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Queue:
    """One queue.

    Args:
        depth: how many due runs wait, at most `WAITING_AT_MOST` over all queues.
        oldest_due_at: when the oldest of them was due.
        listeners: how many living workers take from it.
    """

    name: str
    depth: int
    oldest_due_at: datetime | None
    listeners: int


@dataclass(frozen=True)
class Worker:
    """One process and what it runs."""

    process: Process
    alive: bool
    running: list[TaskResult] = field(default_factory=list)


@dataclass(frozen=True)
class Hour:
    """What ended within one hour."""

    starts_at: datetime
    done: int
    failed: int


def list_workers(*, now: datetime) -> list[Worker]:
    """Return every worker and scheduler, the living first, with what each runs, in two statements."""
    processes = Process.objects.order_by("kind", "name")
    running = defaultdict(list)
    started = TaskResult.objects.filter(status=states.STARTED).select_related("run")
    for result in started.defer("result", "traceback", "meta").order_by("date_started")[:RUNNING_AT_MOST]:
        running[result.worker].append(result)
    workers = [Worker(one, is_alive(one, now=now), running.get(one.name, [])) for one in processes]
    return sorted(workers, key=lambda one: not one.alive)


def list_queues(workers: list[Worker], *, now: datetime) -> list[Queue]:
    """Return every queue that holds runs or that a worker listens on, the fullest first."""
    waiting = TaskResult.objects.filter(status__in=WAITING, run__due_at__lte=now).order_by()
    counted = TaskResult.objects.filter(pk__in=waiting.values("pk")[: WAITING_AT_MOST + 1]).order_by()
    found = {
        name: (depth, oldest)
        for name, depth, oldest in counted.values_list("run__queue").annotate(
            depth=Count("pk"), oldest=Min("run__due_at")
        )
    }
    listened = [name for one in workers if one.alive for name in one.process.queues]
    queues = [
        Queue(name, *found.get(name, (0, None)), listeners=listened.count(name))
        for name in {*found, *listened}
    ]
    return sorted(queues, key=lambda queue: (-queue.depth, queue.name))


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of a moment began."""
    return moment.replace(minute=0, second=0, microsecond=0)


def count_by_hour(*, first: datetime, now: datetime) -> list[Hour]:
    """Return what ended in each hour, oldest first, empty hours too, in one statement.

    Args:
        first: the beginning of the first hour; the last is the one that is not over yet.
    """
    counts = (
        TaskResult.objects.filter(date_done__gte=first)
        .order_by()
        .annotate(hour=TruncHour("date_done", tzinfo=now.tzinfo))
        .values_list("hour")
        .annotate(
            done=Count("pk", filter=Q(status=states.SUCCESS)),
            failed=Count("pk", filter=Q(status=states.FAILURE)),
        )
    )
    found = {hour: (done, failed) for hour, done, failed in counts}
    length = int((hour_of(now) - first) / ONE_HOUR) + 1
    hours = (first + ONE_HOUR * count for count in range(length))
    return [Hour(hour, *found.get(hour, (0, 0))) for hour in hours]
