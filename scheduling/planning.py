"""Planning work: rows written in the caller's transaction, never a message to the broker."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from celery.app.task import Task
from django.db import transaction
from django.db.models import Value
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from scheduling.arguments import check_fit, revive
from scheduling.encoding import check_json
from scheduling.exceptions import DATABASE_AWAY, AlreadyRan, InvalidPlan, NotPlanned
from scheduling.periodic_tasks import delete_unused_times, waiting_one_offs
from scheduling.runs import ran_under
from scheduling.wakeup import wake_schedulers

KEY_LENGTH = PeriodicTask._meta.get_field("name").max_length
SOON = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One delayed run.

    Args:
        key: unique, and starts with its subject: "order:123/payment-reminder".
        task: a registered Celery task.
        at: when it is due, aware.
        kwargs: its arguments, as JSON can hold them.
        reason: why it will run, in words for staff.
        planned_by: who or what planned it.
    """

    key: str
    task: Task
    at: datetime
    kwargs: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    planned_by: str = ""

    def __post_init__(self) -> None:
        """Refuse here what a scheduler could only fail on later, when nobody is watching.

        Raises:
            InvalidPlan: a naive time, a bad key, or arguments that the task does not take.
        """
        if not self.key or len(self.key) > KEY_LENGTH:
            raise InvalidPlan(f"a key has 1 to {KEY_LENGTH} characters, not {len(self.key)}")
        if timezone.is_naive(self.at):
            raise InvalidPlan(f"{self.key} is due at {self.at}, which has no time zone")
        check_arguments(self.task, self.kwargs)

    def as_periodic_task(self, clocked: ClockedSchedule) -> PeriodicTask:
        """Return the row that django-celery-beat keeps for it."""
        return PeriodicTask(
            name=self.key,
            task=self.task.name,
            clocked=clocked,
            one_off=True,
            kwargs=json.dumps(self.kwargs),
            headers=json.dumps({"planned_by": self.planned_by}),
            description=self.reason,
        )


def check_arguments(task: Task, kwargs: dict[str, Any], args: Sequence[Any] = ()) -> None:
    """Refuse arguments the task would refuse.

    Raises:
        InvalidPlan: they do not fit its signature or their annotations, or JSON cannot hold them.
    """
    try:
        check_fit(task, args, kwargs)
        check_json([args, kwargs])
        revive(task, kwargs)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        # A task's own validator may raise anything, and would hold up all that is claimed beside it.
        raise InvalidPlan(f"{task.name}: {error}") from error


def plan(
    key: str,
    task: Task,
    *,
    at: datetime,
    kwargs: dict[str, Any] | None = None,
    reason: str = "",
    planned_by: str = "",
) -> bool:
    """Plan one delayed run in the caller's transaction.

    Three statements, whatever the size of the tables.

    Args:
        key, task, at, kwargs, reason, planned_by: see `Plan`.

    Returns:
        True if it is new, False if the key waits already (which is left as it is).

    Raises:
        InvalidPlan: see `Plan`.
        AlreadyRan: work under this key was due already and was not cancelled.
    """
    made = Plan(
        key=key,
        task=task,
        at=at,
        kwargs=kwargs or {},
        reason=reason,
        planned_by=planned_by,
    )
    return plan_many([made]) == 1


def plan_many(plans: Sequence[Plan]) -> int:
    """Plan several delayed runs in three statements.

    Returns:
        How many were new.

    Raises:
        AlreadyRan: for the first key that ran; then none is planned.
    """
    known = _known_keys([made.key for made in plans])
    ran = sorted(key for key, has_run in known.items() if has_run)
    if ran:
        raise AlreadyRan(ran[0])
    new = list({made.key: made for made in plans if made.key not in known}.values())
    if new:
        _insert(new)
    return len(new)


def _known_keys(keys: Sequence[str]) -> dict[str, bool]:
    """Return for each known key whether it has run, in one statement."""
    waiting = PeriodicTask.objects.filter(name__in=keys).annotate(ran=Value(0)).values_list("name", "ran")
    ran = ran_under(keys).annotate(ran=Value(1)).order_by().values_list("periodic_task_name", "ran")
    return {key: bool(has_run) for key, has_run in sorted(waiting.union(ran))}


def _insert(plans: Sequence[Plan]) -> None:
    # `bulk_create` sends no signals: beat's own would write the one row of `PeriodicTasks` inside
    # the caller's transaction, a lock that every other order would then wait for. Each plan has a
    # clocked row of its own, so that moving one never moves another.
    with transaction.atomic(savepoint=False):
        clocked = ClockedSchedule.objects.bulk_create(ClockedSchedule(clocked_time=made.at) for made in plans)
        PeriodicTask.objects.bulk_create(
            (made.as_periodic_task(row) for made, row in zip(plans, clocked, strict=True)),
            ignore_conflicts=True,
        )
    if min(made.at for made in plans) <= timezone.now() + SOON:
        wake_schedulers()


@transaction.atomic(savepoint=False)
def postpone(key: str, *, to: datetime) -> None:
    """Move a waiting run to another time, earlier or later.

    Args:
        to: when it is due now, aware.

    Raises:
        InvalidPlan: the time has no time zone.
        NotPlanned: nothing waits under the key: it ran, was cancelled or never was.
    """
    if timezone.is_naive(to):
        raise InvalidPlan(f"{key} cannot move to {to}, which has no time zone")
    row = waiting_one_offs().select_for_update(of=("self",)).filter(name=key).first()
    if row is None:
        raise NotPlanned(key)
    # A time of its own: the old one may be shared with another periodic task.
    [clocked] = ClockedSchedule.objects.bulk_create([ClockedSchedule(clocked_time=to)])
    PeriodicTask.objects.filter(pk=row.pk).update(clocked=clocked, date_changed=timezone.now())
    delete_unused_times([row.clocked_id])
    if to <= timezone.now() + SOON:
        wake_schedulers()
