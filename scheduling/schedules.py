"""What staff do with a recurring schedule: save, run now, pause, resume, skip its next run."""

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from celery import states
from django.db import transaction
from django.db.models import Model
from django.forms import model_to_dict
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from scheduling import catalogue, definitions
from scheduling.encoding import decode_words
from scheduling.exceptions import InvalidPlan, NothingToSkip, OwnedByCode
from scheduling.models import Recurrence, RecurringTask, Run
from scheduling.occurrences import run_of
from scheduling.planning import check_arguments
from scheduling.runs import insert_runs
from scheduling.wakeup import wake_schedulers

type Timing = IntervalSchedule | CrontabSchedule | SolarSchedule
_KINDS: dict[type[Model], str] = {
    IntervalSchedule: "interval",
    CrontabSchedule: "crontab",
    SolarSchedule: "solar",
}


POLICIES = ("late_by_seconds", "overlap", "spread_seconds")


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What to do when something is in the way of a run; see `Recurrence`."""

    late_by_seconds: int | None = None
    overlap: str = Recurrence.Overlap.SKIP
    spread_seconds: int = 0


def with_timing(periodic_task: PeriodicTask, timing: Timing) -> PeriodicTask:
    """Give a periodic task a schedule, saved or not, in place of the one it has."""
    for model, field in _KINDS.items():
        setattr(periodic_task, field, timing if isinstance(timing, model) else None)
    return periodic_task


@transaction.atomic
def save_schedule(
    periodic_task: RecurringTask, *, timing: Timing, kwargs: dict[str, Any], policies: Policies
) -> RecurringTask:
    """Save a schedule of staff's with everything it consists of; saving fires nothing at once.

    Args:
        periodic_task: new or known, with its name, task, start and end.
        timing: when; an equal row of beat's is used if there is one.
        kwargs: the arguments of each run, as JSON can hold them.
        policies: what to do when something is in the way.

    Raises:
        InvalidPlan: the task is not in the catalogue, or does not take these arguments.
        OwnedByCode: it is defined in code.
    """
    refuse_code_defined(periodic_task)
    _lock_rules(periodic_task)
    check_arguments(catalogue.schedulable_task(periodic_task.task), kwargs)
    periodic_task.kwargs = json.dumps(kwargs)
    with_timing(periodic_task, _shared(timing))
    periodic_task.save()
    Recurrence.objects.update_or_create(periodic_task_id=periodic_task.pk, defaults=asdict(policies))
    return _followed(periodic_task)


@transaction.atomic
def run_now(periodic_task: RecurringTask, *, by: str, token: uuid.UUID | None = None) -> Run:
    """Run it once more, with the arguments and options of a scheduled run.

    Args:
        by: who asked for it.
        token: the same for one wish however often it is sent, so that a form sent twice runs once.

    Raises:
        InvalidPlan: it could not be run at all.
    """
    if not is_in_code(periodic_task):
        catalogue.schedulable_task(periodic_task.task)
    now = timezone.now()
    task_id = str(uuid.uuid5(token or uuid.uuid4(), periodic_task.name))
    run = run_of(periodic_task, due_at=now, hand_over_at=now, task_id=task_id)
    if run.task_result.status != states.PENDING:
        raise InvalidPlan(decode_words(run.task_result.result))
    run.planned_by = by
    run.reason = "run by hand"
    insert_runs([run])
    wake_schedulers()
    return run


@transaction.atomic
def pause(periodic_task: RecurringTask, *, reason: str, until: datetime | None = None) -> None:
    """Let it rest, whether staff's or defined in code.

    Args:
        reason: why, for whoever wonders later.
        until: when it goes on by itself; empty: when somebody resumes it.
    """
    _lock_rules(periodic_task)
    _set_enabled(periodic_task, False)
    _set_rules(periodic_task, paused_until=until, pause_reason=reason, skip_at=None, next_due_at=None)


@transaction.atomic
def resume(periodic_task: RecurringTask) -> RecurringTask:
    """Let it go on; what was due meanwhile is not made up for."""
    refuse_retired(periodic_task)
    _lock_rules(periodic_task)
    _set_enabled(periodic_task, True)
    _set_rules(periodic_task, paused_until=None, pause_reason="")
    return _followed(periodic_task)


@transaction.atomic
def skip_next(periodic_task: RecurringTask) -> datetime:
    """Skip its next run.

    Returns:
        The occurrence that is skipped.

    Raises:
        NothingToSkip: no run is to come.
    """
    rules = _lock_rules(periodic_task)
    if rules is None or rules.next_due_at is None:
        raise NothingToSkip(periodic_task.name)
    _set_rules(periodic_task, skip_at=rules.next_due_at)
    return rules.next_due_at


@transaction.atomic
def duplicate(periodic_task: RecurringTask, *, name: str) -> RecurringTask:
    """Copy a schedule under another name, paused, so that it can be changed before it runs.

    Raises:
        InvalidPlan: staff may not schedule its task, or the name is taken.
    """
    catalogue.schedulable_task(periodic_task.task)
    if PeriodicTask.objects.filter(name=name).exists():
        raise InvalidPlan(f"another schedule is called {name}")
    copy = RecurringTask.objects.get(pk=periodic_task.pk)
    rules: Recurrence | None = getattr(copy, "recurrence", None)
    policies = {field: getattr(rules, field) for field in POLICIES} if rules else {}
    copy.pk, copy.name, copy.enabled, copy.total_run_count = None, name, False, 0
    copy.save(force_insert=True)
    Recurrence.objects.create(
        periodic_task_id=copy.pk, pause_reason="a copy, to be looked over and resumed", **policies
    )
    return copy


def is_in_code(periodic_task: PeriodicTask) -> bool:
    """Whether code owns its definition: staff may pause it, nothing else."""
    rules: Recurrence | None = getattr(periodic_task, "recurrence", None)
    return bool(rules and rules.in_code)


def is_retired(periodic_task: PeriodicTask) -> bool:
    """Whether code defined it once and no longer does."""
    rules: Recurrence | None = getattr(periodic_task, "recurrence", None)
    return bool(rules and rules.retired_at)


def refuse_code_defined(periodic_task: PeriodicTask) -> None:
    """Refuse to change what code owns, or owned.

    Raises:
        OwnedByCode: it does.
    """
    if is_in_code(periodic_task) or is_retired(periodic_task):
        raise OwnedByCode(periodic_task.name)


def refuse_retired(periodic_task: PeriodicTask) -> None:
    """Refuse to wake what was taken out of the code.

    Raises:
        OwnedByCode: it was.
    """
    if is_retired(periodic_task):
        raise OwnedByCode(f"{periodic_task.name} was taken out of it")


def _shared(timing: Timing) -> Timing:
    """Return the row of beat's that is equal to an unsaved one, new or old."""
    columns = model_to_dict(timing, exclude=["id"])
    known: Timing | None = type(timing)._default_manager.filter(**columns).first()
    if known is None:
        timing.save()
        return timing
    return known


def _lock_rules(periodic_task: RecurringTask) -> Recurrence | None:
    """Lock what a scheduler locks first, or the two might wait for each other."""
    return Recurrence.objects.select_for_update().filter(pk=periodic_task.pk).first()


def _set_enabled(periodic_task: RecurringTask, enabled: bool) -> None:
    PeriodicTask.objects.filter(pk=periodic_task.pk).update(enabled=enabled, date_changed=timezone.now())


def _set_rules(periodic_task: RecurringTask, **rules: Any) -> None:
    Recurrence.objects.update_or_create(periodic_task_id=periodic_task.pk, defaults=rules)


def _followed(periodic_task: RecurringTask) -> RecurringTask:
    """Return it with its next run computed, as a scheduler would within two seconds."""
    fresh = RecurringTask.objects.get(pk=periodic_task.pk)
    definitions.follow(fresh, now=timezone.now())
    return RecurringTask.objects.get(pk=periodic_task.pk)
