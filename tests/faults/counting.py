"""Counting, after quiescence, what was lost, done twice or never asked for."""

import statistics
from collections.abc import Iterable, Sequence

from celery.app.task import Task
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.models import Run
from scheduling.planning import Plan, plan_many
from scheduling.runs import UNFINISHED
from tests.faults.cluster import wait_until
from tests.faults.effects.models import Effect
from tests.faults.effects.tasks import leave_effect


def plan_effects(orders: Iterable[str], *, task: Task = leave_effect, seconds: float = 0.0) -> list[str]:
    """Plan one effect an order, due now.

    Args:
        task: `leave_effect` or `nap`.
        seconds: how long each takes.

    Returns:
        The orders.
    """
    names = list(orders)
    now = timezone.now()
    plan_many(
        [
            Plan(
                key=f"order:{name}/effect",
                task=task,
                at=now,
                kwargs={"order": name, "seconds": seconds},
            )
            for name in names
        ]
    )
    return names


def wait_for_quiet(planned: Sequence[str], *, seconds: float) -> None:
    """Wait until every planned effect is there and no run is unfinished, or the time is over."""

    def quiet() -> bool:
        return Effect.objects.count() >= len(planned) and not unfinished()

    wait_until(quiet, seconds=seconds, pause=0.5)


def unfinished() -> int:
    """Return how many runs are still to end."""
    return TaskResult.objects.filter(status__in=UNFINISHED).count()


def count(planned: Sequence[str]) -> dict[str, float]:
    """Compare what was planned with what was done.

    Returns:
        How many were planned, lost, done twice and never asked for; how many needed a second message
        or attempt, how long those took from being due to their effect, and how long the slowest of all.
    """
    effects = {effect.order: effect for effect in Effect.objects.all()}
    durations = _durations(effects, Run.objects.all())
    recoveries = _durations(effects, Run.objects.filter(Q(hand_overs__gt=1) | Q(attempt__gt=1)))
    return {
        "planned": len(planned),
        "lost": len(set(planned) - effects.keys()),
        "double": sum(effect.times - 1 for effect in effects.values()),
        "extra": len(effects.keys() - set(planned)),
        "recovered": len(recoveries),
        "recovery median s": round(statistics.median(recoveries), 1) if recoveries else 0,
        "recovery max s": round(max(recoveries), 1) if recoveries else 0,
        "slowest s": round(max(durations, default=0), 1),
    }


def _durations(effects: dict[str, Effect], runs: QuerySet[Run]) -> list[float]:
    """Return the seconds from being due to the effect."""
    return [
        effects[kwargs["order"]].committed_at - due_at.timestamp()
        for kwargs, due_at in runs.values_list("kwargs", "due_at")
        if kwargs.get("order") in effects
    ]
