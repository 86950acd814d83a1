"""How the machinery is: who is alive, what is late, what fails, whether the broker answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.models import Process, Run
from scheduling.periodic_tasks import waiting_one_offs
from scheduling.rescue import SILENCE_SECONDS
from scheduling.runs import WAITING

LATE = timedelta(minutes=1)
COUNTED = 99
"""Counts stop here, so that a flood of late runs does not slow the page that tells of it."""


@dataclass(frozen=True)
class Work:
    """The state of the machinery."""

    scheduler_seen_at: datetime | None
    scheduler_silent: bool
    workers: int
    late: int
    broker_failing_since: datetime | None
    broker_error: str

    @property
    def needs_you(self) -> bool:
        """Whether somebody who runs the site should look."""
        return self.scheduler_silent or not self.workers or bool(self.late or self.broker_failing_since)


def work_status(now: datetime) -> Work:
    """Return the state of the machinery, in three statements."""
    processes = list(Process.objects.all())
    alive = [each for each in processes if now - each.seen_at < timedelta(seconds=SILENCE_SECONDS)]
    seen = [each.seen_at for each in processes if each.kind == Process.Kind.SCHEDULER]
    failing = [each for each in alive if each.broker_failing_since]
    first = min(failing, key=lambda each: each.broker_failing_since or now, default=None)
    return Work(
        scheduler_seen_at=max(seen, default=None),
        scheduler_silent=not any(each.kind == Process.Kind.SCHEDULER for each in alive),
        workers=sum(each.kind == Process.Kind.WORKER for each in alive),
        late=_late(now),
        broker_failing_since=first.broker_failing_since if first else None,
        broker_error=first.broker_error if first else "",
    )


def _late(now: datetime) -> int:
    """Return how much should have started: due and not begun, or not even noticed to be due."""
    runs = Run.objects.filter(task_result__status__in=WAITING, due_at__lt=now - LATE)
    planned = waiting_one_offs().filter(clocked__clocked_time__lt=now - LATE)
    return sum(rows.order_by()[: COUNTED + 1].count() for rows in (runs, planned))
