"""Putting back the runs whose worker is gone."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from celery import states
from celery.utils.log import get_logger
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.claims import Claim
from scheduling.exceptions import ClaimLost
from scheduling.models import Process
from scheduling.retrying import give_up_attempt
from scheduling.undelivered import send_again

logger = get_logger(__name__)

SILENCE_SECONDS = 20.0
"""A process whose heartbeat stands still for so long is gone: four beats."""

FORGET = timedelta(days=1)


@dataclass
class Watch:
    """Tells which processes are gone, by this process's own steady clock.

    Comparing a heartbeat's time with the wall clock would declare everyone dead when a clock jumps,
    or when two hosts' clocks differ.
    """

    _moved: dict[tuple[str, datetime], tuple[datetime, float]] = field(default_factory=dict)
    _looked: float = 0.0
    names_silent: set[str] = field(default_factory=set)

    def silent(self, processes: Iterable[Process]) -> set[str]:
        """Return the names of the processes whose heartbeat has stood still for too long.

        After a pause of its own, such as a database outage in which nobody's heart could beat, it
        begins anew.
        """
        now = time.monotonic()
        known = self._moved if now - self._looked < SILENCE_SECONDS / 2 else {}
        self._looked = now
        self._moved = {
            (process.name, process.started_at): self._last_move(process, known, now) for process in processes
        }
        self.names_silent = {name for (name, _), (_, at) in self._moved.items() if now - at > SILENCE_SECONDS}
        return self.names_silent

    def _last_move(
        self,
        process: Process,
        known: dict[tuple[str, datetime], tuple[datetime, float]],
        now: float,
    ) -> tuple[datetime, float]:
        last = known.get((process.name, process.started_at))
        return last if last and last[0] == process.seen_at else (process.seen_at, now)


def rescue_lost(watch: Watch) -> int:
    """Give up the attempts of workers that are gone, so that others take their runs and messages.

    A run is lost if its worker is silent, was replaced by one of the same name that started later,
    signed off, or is alive and says that it does not have it: it lost the database in mid-run.

    Returns:
        How many were put back or ended.
    """
    processes = list(Process.objects.all())
    silent = watch.silent(processes)
    workers = {process.name: process for process in processes if process.kind == Process.Kind.WORKER}
    for name in silent & workers.keys():
        send_again(workers[name])
    started = TaskResult.objects.filter(status=states.STARTED, run__isnull=False).only(
        "task_id", "worker", "date_started", "status"
    )
    lost = [
        (result, words)
        for result in started.order_by("date_started")[:1000]
        if (words := _why_lost(result, workers.get(result.worker), silent))
    ]
    return sum(_give_up(result, words) for result, words in lost)


def _why_lost(result: TaskResult, worker: Process | None, silent: set[str]) -> str:
    if worker is None:
        return f"its worker {result.worker} has ended"
    if worker.name in silent:
        return f"its worker {worker.name} has been silent since {worker.seen_at:%H:%M:%S} UTC"
    if result.date_started < worker.started_at:
        return f"its worker {worker.name} was started again"
    if result.task_id not in worker.running and result.date_started < worker.seen_at:
        return f"its worker {worker.name} is not running it any more"
    return ""


def _give_up(result: TaskResult, words: str) -> bool:
    try:
        give_up_attempt(Claim(result.task_id, result.worker, result.date_started), words=words)
    except ClaimLost:
        return False
    return True


def forget_silent(watch: Watch) -> None:
    """Delete the heartbeats of processes that have been silent for a day.

    By this process's steady clock they must be silent too: a wall clock that is wrong by a day must not
    declare everyone dead.
    """
    old = Process.objects.filter(seen_at__lt=timezone.now() - FORGET)
    old.filter(name__in=watch.names_silent).delete()
