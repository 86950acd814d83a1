"""Handing runs over to the broker: publish first, mark afterwards, with no transaction open between."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from celery import Celery, current_app
from celery.app.task import extract_exec_options
from django.db import transaction
from django.db.models import F, QuerySet
from django_celery_results.models import TaskResult
from kombu import Producer

from scheduling.exceptions import UnknownTask, UnreadableRow
from scheduling.models import Run
from scheduling.runs import UNFINISHED, WAITING, shown_arguments, shown_positionals
from scheduling.unplanned import LIMITS, PLACE, PLANNED_HEADER, SENT_BY
from scheduling.unreadable import past_unreadable

LEASE = timedelta(seconds=30)
"""How long a scheduler has for publishing what it took; a killed one's runs are free after that."""

BATCH = 500
BLOCKED_PAUSE = timedelta(seconds=1)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


def lease_due(*, now: datetime) -> Sequence[Run]:
    """Take the runs that need a message, so that no other scheduler publishes them meanwhile.

    Runs that were started or ended since their last message need none; they are taken off the list.

    Returns:
        At most `BATCH` runs, oldest first.
    """
    due = Run.objects.filter(hand_over_at__lte=now).select_related("task_result")
    # As in `claim_due`, looking takes no lock.
    if not due.exists():
        return []
    return past_unreadable(
        lambda rows: _lease(rows, now=now),
        due.order_by("hand_over_at"),
        set_aside=_fail_unreadable,
        at_most=BATCH,
    )


def _lease(due: QuerySet[Run], *, now: datetime) -> Sequence[Run]:
    with transaction.atomic():
        runs = list(due.select_for_update(skip_locked=True, of=("self",))[:BATCH])
        waiting = [run for run in runs if run.task_result.status in WAITING]
        going = _awaited_and_going(waiting)
        blocked = [run for run in waiting if run.waits_for in going]
        ready = [run for run in waiting if run.waits_for not in going]
        _settle([run for run in runs if run.task_result.status not in WAITING])
        _set_hand_over(blocked, now + BLOCKED_PAUSE)
        _set_hand_over(ready, now + LEASE)
    return ready


def _fail_unreadable(errors: Mapping[str, UnreadableRow]) -> None:
    """End what cannot be read: it would hold up all others for as long as it is due."""
    for task_id, error in errors.items():
        current_app.backend.mark_as_failure(task_id, error)
    Run.objects.filter(pk__in=errors).update(hand_over_at=None)


def _awaited_and_going(runs: Sequence[Run]) -> set[str]:
    """Return the ids of what is still going and some of these wait for, as their schedules let them."""
    awaited = [run.waits_for for run in runs if run.waits_for]
    if not awaited:
        return set()
    going = TaskResult.objects.filter(task_id__in=awaited, status__in=UNFINISHED)
    return set(going.values_list("task_id", flat=True))


def _settle(runs: Sequence[Run]) -> None:
    """Take runs off the list that need no message any more.

    Their states are looked at anew: PostgreSQL locks the newest version of a run, but joins the result
    as it was before a retry that was committed in between, and the retry would lose its time.
    """
    if runs:
        settled = Run.objects.filter(pk__in=[run.pk for run in runs]).exclude(task_result__status__in=WAITING)
        settled.update(hand_over_at=None)


def _set_hand_over(runs: Sequence[Run], at: datetime) -> None:
    if runs:
        Run.objects.filter(pk__in=[run.pk for run in runs]).update(hand_over_at=at)
        for run in runs:
            run.hand_over_at = at


def publish(run: Run, *, app: Celery, producer: Producer) -> None:
    """Send the run's message.

    Celery's own `apply_async` does the same and more (parents, links, a result object), at twice the
    cost.

    Raises:
        UnknownTask: the code has no such task.
        kombu.exceptions.OperationalError, OSError: the broker did not take it.
    """
    task = app.tasks.get(run.task_result.task_name)
    if task is None:
        raise UnknownTask(run.task_result.task_name)
    options: dict[str, Any] = {**extract_exec_options(task), "queue": run.queue or None, **run.options}
    message = app.amqp.create_task_message(
        run.pk,
        task.name,
        run.args,
        run.kwargs,
        retries=run.attempt - 1,
        ignore_result=task.ignore_result,
        argsrepr=repr(shown_positionals(task, run.args)),
        kwargsrepr=repr(shown_arguments(task, run.kwargs)),
        **{name: options.pop(name, None) for name in (*PLACE, *LIMITS)},
    )
    message.headers.update(
        options.pop("headers", {}),
        periodic_task_name=run.task_result.periodic_task_name,
        **{PLANNED_HEADER: run.planned_by != SENT_BY},
    )
    route = app.amqp.router.route(options, task.name, run.args, run.kwargs, task)
    app.amqp.send_task_message(producer, task.name, message, retry=False, **route)


def mark_published(runs: Sequence[Run], *, now: datetime) -> None:
    """Record that the broker took the runs' messages, and when to doubt that they arrived.

    A run that is never started is handed over again after 1, 2, 4 … up to 60 minutes: a broker may
    have lost its memory. A second message for it does nothing. A run that has failed and waits for
    its next attempt already is left as it is: its lease is gone.
    """
    for count, group in groupby(sorted(runs, key=_hand_overs), key=_hand_overs):
        pause = min(FIRST_PAUSE * 2 ** min(count, 10), LONGEST_PAUSE)
        _leased(list(group)).update(
            hand_over_at=now + pause, handed_over_at=now, hand_overs=F("hand_overs") + 1
        )


def release(runs: Sequence[Run], *, until: datetime) -> None:
    """Give back runs that the broker did not take, to be tried again at the given time."""
    if runs:
        _leased(runs).update(hand_over_at=until)


def _leased(runs: Sequence[Run]) -> QuerySet[Run]:
    leases = {run.hand_over_at for run in runs}
    return Run.objects.filter(pk__in=[run.pk for run in runs], hand_over_at__in=leases)


def _hand_overs(run: Run) -> int:
    return run.hand_overs
