"""P12, P15: the database goes away for a while, and does not grow for ever."""

import time
from datetime import timedelta

from celery import states
from django.db import DatabaseError, connection
from django.db.models import F
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.exceptions import AlreadyRan
from scheduling.models import Run
from scheduling.pruning import prune_runs
from scheduling.runs import build_result, insert_runs
from tests.faults.cluster import Cluster
from tests.faults.counting import count, plan_effects, wait_for_quiet
from tests.faults.effects.tasks import leave_effect
from tests.faults.stage import Stage

LOAD_SECONDS = 20
OUTAGE_SECONDS = 30
PER_SECOND = 10

DAYS = 10
KEEP_SUCCEEDED = timedelta(days=3)
KEEP_OTHERS = timedelta(days=5)
FAILS = 10
"""One of so many fails."""


def stop_database(stage: Stage, n: int) -> dict[str, float]:
    """End PostgreSQL as a crash would for 30 seconds while work is planned and done.

    Args:
        n: how many times.
    """
    if stage.database is None:
        raise ValueError("SQLite has no server to stop")
    planned: list[str] = []
    with Cluster() as cluster:
        for name in ("one", "two"):
            cluster.add_scheduler(f"scheduler-{name}")
            cluster.add_worker(f"worker-{name}")
        cluster.wait_until_alive()
        for outage in range(n):
            planned += _load(f"before-{outage}")
            stage.database.stop()
            time.sleep(OUTAGE_SECONDS)
            stage.database.start()
            planned += _load(f"after-{outage}")
        wait_for_quiet(planned, seconds=300)
        return count(planned)


def _load(name: str) -> list[str]:
    """Plan work, evenly, up to the moment that the database goes."""
    return [order for number in range(LOAD_SECONDS * PER_SECOND) for order in _plan_one(f"{name}-{number}")]


def _plan_one(order: str) -> list[str]:
    time.sleep(1 / PER_SECOND)
    try:
        return plan_effects([order], seconds=0.2)
    except AlreadyRan:
        # It was committed by the first try, whose answer was lost.
        return [order]
    except DatabaseError:
        connection.close()
        return _plan_one(order)


def live_for_days(stage: Stage, n: int) -> dict[str, float]:
    """Store runs day by day, prune as the nightly task does, and count what is left.

    Args:
        n: how many runs in all.
    """
    insert_runs([_run("unfinished", states.PENDING)])
    left = []
    for day in range(DAYS):
        insert_runs(
            [
                _run(f"{day}-{i}", states.FAILURE if i % FAILS == 0 else states.SUCCESS)
                for i in range(n // DAYS)
            ]
        )
        TaskResult.objects.filter(status__in=states.READY_STATES).update(
            date_done=F("date_done") - timedelta(days=1)
        )
        prune_runs(
            keep_succeeded=KEEP_SUCCEEDED + timedelta(hours=1), keep_others=KEEP_OTHERS + timedelta(hours=1)
        )
        left.append(TaskResult.objects.count())
    return {
        "runs": n,
        "rows at plateau": left[-1],
        "growth after the plateau": max(left[KEEP_OTHERS.days :]) - left[KEEP_OTHERS.days],
        "unfinished deleted": 1 - TaskResult.objects.filter(status=states.PENDING).count(),
        "left without their pair": abs(Run.objects.count() - TaskResult.objects.count()),
    }


def _run(name: str, status: str) -> Run:
    result = build_result(task_id=name, task_name=leave_effect.name, status=status)
    return Run(task_result=result, due_at=timezone.now())
