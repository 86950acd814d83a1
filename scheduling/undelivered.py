"""Messages that no worker will read any more: their runs are handed over again."""

from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from scheduling.models import Process, Run
from scheduling.runs import WAITING

BEAT = timedelta(seconds=5)
"""Between two heartbeats."""


def send_again(worker: Process) -> int:
    """Have the messages of a worker that is gone sent again at once.

    A broker that keeps them for it would give them back after minutes, or never. They are those it
    named at its last heartbeat, and any that were handed over about then: a message too many does
    nothing. Doing this twice changes nothing, for those sent again are younger.

    Args:
        worker: as it stood at its last heartbeat.

    Returns:
        How many.
    """
    taken = Q(pk__in=worker.running) | Q(handed_over_at__gt=worker.seen_at - BEAT)
    return _send_again(taken, handed_over_at__lt=worker.seen_at + BEAT)


def send_all_again() -> int:
    """Have every message sent again at once whose run has not started.

    For a broker that was emptied, or left for another one: by themselves they would be sent again after
    minutes, and up to an hour. A message too many does nothing.

    Returns:
        How many.
    """
    return _send_again(handed_over_at__isnull=False)


def _send_again(*which: Q, **more: Any) -> int:
    runs = Run.objects.filter(*which, **more, hand_over_at__isnull=False, task_result__status__in=WAITING)
    # Those that wait for their next attempt have no message yet.
    waiting = Q(attempts__ended_at__gte=F("handed_over_at"))
    return runs.exclude(waiting).update(hand_over_at=timezone.now())
