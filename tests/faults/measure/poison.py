"""P11: tasks that kill the process they run in, or never succeed."""

from collections import Counter

from celery import states
from celery.app.task import Task
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.models import Attempt
from scheduling.planning import Plan, plan_many
from tests.faults import failpoints
from tests.faults.attempts import read_attempts
from tests.faults.cluster import Cluster, wait_until
from tests.faults.effects import tasks
from tests.faults.stage import Stage

TASKS = {"kill": tasks.kill_its_worker, "raise": tasks.always_raise}


def poison(stage: Stage, n: int, *, how: str) -> dict[str, float]:
    """Run poison tasks until they have stopped by themselves.

    Args:
        n: how many.
        how: "kill" or "raise".
    """
    task: Task = TASKS[how]
    failpoints.arm("always")
    plan_many(
        [
            Plan(key=f"order:{i}/poison", task=task, at=timezone.now(), kwargs={"order": str(i)})
            for i in range(n)
        ]
    )
    with Cluster() as cluster:
        cluster.add_scheduler("scheduler")
        cluster.add_worker("worker")
        wait_until(lambda: _failed() == n, seconds=300, pause=0.5)
    begun = Counter(attempt["order"] for attempt in read_attempts())
    wanted = task.max_retries + 1
    return {
        "attempts each": wanted,
        "with more or fewer": sum(begun[str(i)] != wanted for i in range(n)),
        "not failed": n - _failed(),
        "attempts not shown": n * task.max_retries - Attempt.objects.count(),
    }


def _failed() -> int:
    return TaskResult.objects.filter(status=states.FAILURE).count()
