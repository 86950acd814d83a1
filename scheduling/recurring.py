"""Claiming the due occurrences of recurring schedules."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from scheduling import catalogue, timetable
from scheduling.definitions import definition_of
from scheduling.models import Recurrence, Run
from scheduling.occurrences import EXPIRED, NotRun, run_of
from scheduling.runs import UNFINISHED, insert_runs

BATCH = 100
MISSED_KEPT = 500
"""Missed occurrences recorded one by one after an outage; older ones leave no record."""

PUNCTUAL = timedelta(minutes=1)
"""Occurrences no later than this all run; of later ones only the newest does."""


def claim_occurrences(*, now: datetime, lease: timedelta) -> Sequence[Run]:
    """Turn due occurrences into runs, in one short transaction, and move each schedule on.

    Args:
        now: what is due until then is claimed.
        lease: how long the caller has for handing them over before others may.

    Returns:
        The runs to hand over now; those that start later are left in the database.
    """
    if not _due(now).exists():
        return []
    with transaction.atomic():
        claimed = [Claimed(row, now=now) for row in _lock_due(now)]
        busy = _unfinished(item.name for item in claimed)
        runs = [run for item in claimed for run in item.runs(busy[item.name], lease=lease)]
        insert_runs(runs)
        for item in claimed:
            item.move_on()
    return [run for run in runs if run.hand_over_at == now + lease]


def _due(now: datetime) -> QuerySet[Recurrence]:
    return Recurrence.objects.filter(next_due_at__lte=now)


def _lock_due(now: datetime) -> list[Recurrence]:
    due = (
        _due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related(
            "periodic_task",
            "periodic_task__interval",
            "periodic_task__crontab",
            "periodic_task__solar",
        )
        .order_by("next_due_at")[:BATCH]
    )
    # An edit that was not followed yet decides anew when it is due.
    return [row for row in due if row.definition == definition_of(row.periodic_task)]


def _unfinished(names: Iterable[str]) -> dict[str, list[str]]:
    """Return for each schedule the task ids of its unfinished runs, oldest first."""
    found = TaskResult.objects.filter(periodic_task_name__in=list(names), status__in=UNFINISHED)
    busy = defaultdict(list)
    for name, task_id in found.order_by("date_created").values_list("periodic_task_name", "task_id"):
        busy[name].append(task_id)
    return busy


@dataclass
class Claimed:
    """A locked schedule with what is due of it."""

    recurrence: Recurrence
    now: datetime
    due: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        first = self.recurrence.next_due_at or self.now
        self.due = [first]
        if not self.periodic_task.one_off:
            later = timetable.occurrences_between(
                self.periodic_task, after=first, until=self.now, limit=MISSED_KEPT
            )
            self.due += later.newest

    @property
    def periodic_task(self) -> PeriodicTask:
        """The schedule as beat keeps it."""
        return self.recurrence.periodic_task

    @property
    def name(self) -> str:
        """The schedule's name."""
        return str(self.periodic_task.name)

    def runs(self, busy: list[str], *, lease: timedelta) -> Iterator[Run]:
        """Yield an unsaved run for each due occurrence.

        Args:
            busy: the task ids of the schedule's unfinished runs.
            lease: see `claim_occurrences`.
        """
        for due_at in self.due:
            verdict = self._verdict(due_at, busy)
            run = run_of(
                self.periodic_task,
                due_at=due_at,
                hand_over_at=self._start_at(due_at, lease),
                not_run=verdict,
            )
            if run.hand_over_at:
                if busy and self.recurrence.overlap == Recurrence.Overlap.WAIT:
                    run.waits_for = busy[-1]
                    run.hand_over_at -= lease
                busy.append(run.task_result.task_id)
            yield run

    def _verdict(self, due_at: datetime, busy: Sequence[str]) -> NotRun | None:
        rules = self.recurrence
        late = self.now - due_at
        if not rules.in_code and not catalogue.is_schedulable(self.periodic_task.task):
            # Its row was written past the form: the form offers nothing else.
            return NotRun("", f"{self.periodic_task.task} is not among the tasks that staff may schedule")
        if due_at == rules.skip_at:
            return NotRun(Run.NotRun.SKIPPED, "skipped by hand")
        expires = self.periodic_task.expires
        if expires is not None and expires < self.now and late > PUNCTUAL:
            return EXPIRED
        if rules.late_by_seconds is not None and late.total_seconds() > rules.late_by_seconds:
            return NotRun(
                Run.NotRun.MISSED,
                f"noticed {_in_words(late)} late, more than its schedule allows",
            )
        if late > PUNCTUAL and due_at != self.due[-1]:
            return NotRun(
                Run.NotRun.MISSED,
                f"noticed {_in_words(late)} late, when a newer one was due",
            )
        if busy and rules.overlap == Recurrence.Overlap.SKIP:
            return NotRun(Run.NotRun.SKIPPED, "the last run was still going")
        if len(busy) > 1 and rules.overlap == Recurrence.Overlap.WAIT:
            return NotRun(Run.NotRun.SKIPPED, "one run was waiting for the last one already")
        return None

    def _start_at(self, due_at: datetime, lease: timedelta) -> datetime:
        spread = self.recurrence.spread_seconds
        if not spread:
            return self.now + lease
        # The same for whichever scheduler computes it.
        within = random.Random(f"{self.name}|{due_at}").uniform(0, spread)  # noqa: S311
        return max(due_at + timedelta(seconds=within), self.now)

    def move_on(self) -> None:
        """Record the newest occurrence as the last, and when the next one is due."""
        last = self.due[-1]
        ended = self.periodic_task.one_off
        following = None if ended else timetable.next_after(self.periodic_task, last)
        changes: dict[str, Any] = {
            "last_run_at": last,
            "total_run_count": F("total_run_count") + len(self.due),
        }
        if ended:
            # Only then: staff may have paused it since it was read.
            changes["enabled"] = False
        PeriodicTask.objects.filter(pk=self.periodic_task.pk).update(**changes)
        skip_at = self.recurrence.skip_at
        Recurrence.objects.filter(pk=self.recurrence.pk).update(
            next_due_at=following,
            skip_at=skip_at if skip_at and skip_at > last else None,
        )


def _in_words(late: timedelta) -> str:
    return str(timedelta(seconds=round(late.total_seconds())))
