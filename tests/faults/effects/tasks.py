"""Tasks that leave one effect each."""

import time
from typing import Any

from celery import shared_task
from django.db.models import F

from tests.faults.attempts import log_attempt
from tests.faults.effects.models import Effect
from tests.faults.failpoints import not_hit_before, reach


@shared_task(
    bind=True, max_retries=50, schedulable=True, words="Leave an effect", touches="One row, counted."
)
def leave_effect(self: Any, order: str, kind: str = "reminder", seconds: float = 0.0) -> str:
    """Commit one effect, after the given time."""
    log_attempt(self.request.id, order, "began")
    commit_effect(order, kind, self.request.id)
    time.sleep(seconds)
    if not_hit_before():
        reach("mid-effect")
    return order


@shared_task(bind=True, atomic=False, max_retries=50)
def nap(self: Any, order: str, seconds: float) -> None:
    """Commit one effect, after waiting for a time that is no transaction's."""
    log_attempt(self.request.id, order, "began")
    time.sleep(seconds)
    with self.effect():
        commit_effect(order, "nap", self.request.id)


@shared_task(bind=True, max_retries=3)
def kill_its_worker(self: Any, order: str) -> None:
    """A poison task: the process that runs it dies."""
    log_attempt(self.request.id, order, "began")
    reach("always")


@shared_task(bind=True, autoretry_for=(ValueError,), retry_backoff=1, retry_jitter=False, max_retries=3)
def always_raise(self: Any, order: str) -> None:
    """A poison task: it never succeeds."""
    log_attempt(self.request.id, order, "began")
    raise ValueError(order)


def commit_effect(order: str, kind: str, occurrence: str) -> None:
    """Count the effect; a second commit shows as `times` above one."""
    effect, created = Effect.objects.get_or_create(
        order=order, kind=kind, occurrence=occurrence, defaults={"committed_at": time.time()}
    )
    if not created:
        Effect.objects.filter(pk=effect.pk).update(times=F("times") + 1)
