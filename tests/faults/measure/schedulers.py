"""P7: three schedulers on the same schedules; one is frozen, the others are killed."""

import os
import random
import signal
import time
from datetime import datetime, timedelta

from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from scheduling.models import Recurrence, Run
from scheduling.planning import Plan, plan_many
from tests.faults.cluster import Cluster
from tests.faults.counting import unfinished
from tests.faults.effects.models import Effect
from tests.faults.effects.tasks import leave_effect
from tests.faults.stage import Stage

SECONDS = 150
FROZEN = range(20, 80)
KILL_EVERY_SECONDS = 7
RECURRING = {f"every {seconds} s": seconds for seconds in (2, 3, 5, 7, 11, 13, 17, 30)}


def fire_together(stage: Stage, n: int) -> dict[str, float]:
    """Let three schedulers work on recurring schedules and one-offs, and disturb them.

    Args:
        n: how many one-offs.
    """
    begin = timezone.now().replace(microsecond=0) + timedelta(seconds=15)
    end = begin + timedelta(seconds=SECONDS)
    expected = _make_recurring(begin, end) | _plan_one_offs(n, begin, end)
    with Cluster() as cluster:
        for name in ("one", "two", "three"):
            cluster.add_scheduler(name)
        cluster.add_worker("worker-one")
        cluster.add_worker("worker-two")
        cluster.wait_until_alive()
        kills = _disturb(cluster, begin)
        _wait_until_over(expected)
        return _compare(expected) | {"scheduler kills": kills, "frozen s": len(FROZEN)}


def _make_recurring(begin: datetime, end: datetime) -> set[tuple[str, datetime]]:
    """Make the schedules, and return (name, occurrence) by plain arithmetic."""
    expected = set()
    for name, seconds in RECURRING.items():
        interval = IntervalSchedule.objects.create(every=seconds, period="seconds")
        row = PeriodicTask.objects.create(
            name=name,
            task=leave_effect.name,
            interval=interval,
            kwargs=f'{{"order": "{name}"}}',
            start_time=begin,
            expires=end,
        )
        Recurrence.objects.create(periodic_task=row, overlap=Recurrence.Overlap.RUN)
        expected |= {(name, begin + timedelta(seconds=passed)) for passed in range(0, SECONDS + 1, seconds)}
    return expected


def _plan_one_offs(n: int, begin: datetime, end: datetime) -> set[tuple[str, datetime]]:
    dice = random.Random(7)
    plans = [
        Plan(
            key=f"order:{number}/effect",
            task=leave_effect,
            at=begin + (end - begin) * dice.random(),
            kwargs={"order": f"one-off-{number}"},
        )
        for number in range(n)
    ]
    plan_many(plans)
    return {(plan.key, plan.at) for plan in plans}


def _disturb(cluster: Cluster, begin: datetime) -> int:
    """Freeze one scheduler and kill the others in turn, until the last occurrence is due."""
    kills = 0
    for second in range(SECONDS):
        time.sleep(max(0.0, begin.timestamp() + second - time.time()))
        if second == FROZEN.start:
            os.kill(cluster.pid("one"), signal.SIGSTOP)
        if second == FROZEN.stop:
            os.kill(cluster.pid("one"), signal.SIGCONT)
        if second % KILL_EVERY_SECONDS == 0:
            time.sleep(random.random())
            os.kill(cluster.pid(("two", "three")[kills % 2]), signal.SIGKILL)
            kills += 1
    return kills


def _wait_until_over(expected: set[tuple[str, datetime]]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and (Run.objects.count() < len(expected) or unfinished()):
        time.sleep(0.5)


def _compare(expected: set[tuple[str, datetime]]) -> dict[str, float]:
    runs = {
        task_id: (name, due_at)
        for task_id, name, due_at in Run.objects.values_list(
            "pk", "task_result__periodic_task_name", "due_at"
        )
    }
    done = [runs[effect.occurrence] for effect in Effect.objects.all() for _ in range(effect.times)]
    return {
        "occurrences": len(expected),
        "missed": len(expected - set(done)),
        "double": len(done) - len(set(done)),
        "extra": len(set(runs.values()) - expected),
    }
