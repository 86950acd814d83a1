"""Running again what has ended: a new run with a fresh task id; the old one stays as it was."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app, states
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from scheduling.cancelling import cancel_runs
from scheduling.exceptions import InvalidPlan, NotEnded
from scheduling.models import Rerun, Run
from scheduling.planning import check_arguments
from scheduling.runs import build_result, insert_runs, run_id, shown_arguments, shown_positionals
from scheduling.unplanned import PLACE
from scheduling.wakeup import wake_schedulers

AT_MOST = 1000
"""Runs put back in one go: enough for a bad night, few enough for one short transaction."""

FAILURES_ALLOWED = 3
"""So many of a rerun's runs may fail again before the rest of it is halted."""


@dataclass(frozen=True)
class Again:
    """How to run something again.

    Args:
        by: who wants it, in words for staff.
        token: the same for one wish however often it is sent, so that a form sent twice runs once.
        per_minute: how many to start in a minute; all at once if not given.
    """

    by: str
    token: str
    per_minute: int | None = None

    def start_of(self, place: int, now: datetime) -> datetime:
        """Return when the run in this place starts."""
        return now + timedelta(minutes=place / self.per_minute) if self.per_minute else now


@transaction.atomic
def run_again(task_id: str, *, how: Again, kwargs: dict[str, Any] | None = None) -> Run:
    """Run what has ended again, with the same arguments or others.

    Args:
        kwargs: all its arguments by name, in place of those it had.

    Returns:
        The new run. It is handed over by the next scheduler that looks, within a second.

    Raises:
        NotEnded: it waits or runs.
        InvalidPlan: the task does not take the arguments, or is not there any more.
    """
    ended = _lock_ended([task_id])
    if not ended:
        raise NotEnded(task_id)
    [run] = ended
    new = _repeat(run, how=how, at=timezone.now(), kwargs=kwargs)
    _store([run], [new])
    return new


@transaction.atomic
def run_many_again(task_ids: Sequence[str], *, how: Again, words: str) -> Rerun:
    """Run several again, at a pace, with the arguments they had; halts by itself if they fail again.

    Those that have not ended, or whose task is gone, are left out.

    Args:
        task_ids: at most `AT_MOST`.
        words: what is run again, for staff.

    Returns:
        What was put back: its `total` may be smaller than asked for.
    """
    now = timezone.now()
    rerun = Rerun(started_at=now, started_by=how.by, words=words[:300], per_minute=how.per_minute, total=0)
    rerun.save()
    old: list[Run] = []
    new: list[Run] = []
    for run in _lock_ended(task_ids[:AT_MOST]):
        try:
            repeated = _repeat(run, how=how, at=how.start_of(len(new), now))
        except InvalidPlan:
            continue
        repeated.rerun = rerun
        old.append(run)
        new.append(repeated)
    _store(old, new)
    rerun.total = len(new)
    rerun.save(update_fields=["total"])
    return rerun


def halt_if_failing(task_id: str) -> None:
    """Halt the rest of a rerun once too many of its runs have failed again.

    Called for every attempt that fails; runs that belong to no rerun cost one statement.
    """
    rerun = Rerun.objects.select_for_update().filter(runs=task_id, halted_at=None).first()
    if rerun is None:
        return
    failed = rerun.runs.filter(Q(attempt__gt=1) | Q(task_result__status=states.FAILURE)).count()
    if failed >= FAILURES_ALLOWED:
        halt(rerun, because=f"{failed} of them failed again")


@transaction.atomic
def halt(rerun: Rerun, *, because: str) -> int:
    """Take back those runs of a rerun that have not started; what they repeat counts as failed again.

    Args:
        because: the reason, in words for staff.

    Returns:
        How many were taken back.
    """
    waiting = rerun.runs.filter(task_result__status=states.PENDING)
    stopped = cancel_runs(list(waiting.values_list("pk", flat=True)), because=f"halted: {because}")
    originals = Run.objects.filter(pk__in=stopped).values_list("again_of", flat=True)
    Run.objects.filter(pk__in=list(originals)).update(again_as="")
    rerun.halted_at = timezone.now()
    rerun.halted_because = because
    rerun.save(update_fields=["halted_at", "halted_because"])
    return len(stopped)


def _lock_ended(task_ids: Collection[str]) -> list[Run]:
    ended = Run.objects.select_for_update(of=("self",)).select_related("task_result")
    return list(ended.filter(pk__in=task_ids, task_result__status__in=states.READY_STATES).order_by("due_at"))


def _repeat(run: Run, *, how: Again, at: datetime, kwargs: dict[str, Any] | None = None) -> Run:
    """Return the unsaved run that repeats one."""
    result = run.task_result
    task = current_app.tasks.get(result.task_name)
    if task is None:
        raise InvalidPlan(f"there is no task {result.task_name} any more")
    args, given = (run.args, run.kwargs) if kwargs is None else ([], kwargs)
    check_arguments(task, given, args)
    # What had to be done by some time may be done late, if somebody asks for it; and a chain or a chord
    # went on without it.
    options = {name: value for name, value in run.options.items() if name not in ("expires", *PLACE)}
    return Run(
        task_result=build_result(
            task_id=run_id(key=run.pk, due_at=run.due_at, mark=how.token),
            task_name=result.task_name,
            key=result.periodic_task_name,
            args=shown_positionals(task, args),
            shown_kwargs=shown_arguments(task, given),
        ),
        subject=run.subject,
        planned_at=timezone.now(),
        due_at=at,
        args=args,
        kwargs=given,
        options=options,
        queue=run.queue,
        reason=f"run again by {how.by}",
        planned_by=how.by,
        hand_over_at=at,
        again_of=run.pk,
    )


def _store(old: Sequence[Run], new: Sequence[Run]) -> None:
    insert_runs(new)
    for run, repeated in zip(old, new, strict=True):
        run.again_as = repeated.task_result.task_id
    Run.objects.bulk_update(old, ["again_as"], batch_size=100)
    wake_schedulers()
