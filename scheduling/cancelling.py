"""Cancelling work that has not started, with proof of what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from celery import states
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.encoding import encode_words
from scheduling.models import Run
from scheduling.occurrences import NotRun, run_of
from scheduling.periodic_tasks import delete_one_offs, waiting_one_offs
from scheduling.runs import WAITING, insert_runs


@dataclass(frozen=True)
class Cancellation:
    """What became of a wish to cancel."""

    stopped: bool
    words: str


STOPPED = Cancellation(stopped=True, words="cancelled before it started")
UNKNOWN = Cancellation(stopped=False, words="nothing was planned")

NOT_RUN_WORDS = {
    "": "was revoked already",
    Run.NotRun.CANCELLED: "was cancelled already",
    Run.NotRun.MISSED: "was missed, and did not run",
    Run.NotRun.SKIPPED: "was skipped already",
    Run.NotRun.EXPIRED: "had expired already",
}


@transaction.atomic(savepoint=False)
def cancel(*keys: str, because: str) -> dict[str, Cancellation]:
    """Cancel what is planned, or due and not yet started, under the given keys.

    A cancelled run is kept as a task result, so that staff see what did not happen, and why. The
    number of statements does not depend on the number of keys.

    Args:
        keys: the names of delayed runs.
        because: the reason, in words for staff.

    Returns:
        For each key what became of it: stopped, or too late and why.
    """
    planned = _cancel_planned(keys, because=because)
    rest = [key for key in keys if key not in planned]
    outcomes = _cancel_due(rest, because=because) if rest else {}
    return {key: STOPPED if key in planned else outcomes.get(key, UNKNOWN) for key in keys}


@transaction.atomic(savepoint=False)
def cancel_runs(task_ids: Collection[str], *, because: str, not_run: str = Run.NotRun.CANCELLED) -> set[str]:
    """Cancel runs that wait to be started; a message that is under way then does nothing.

    Args:
        task_ids: the runs.
        because: the reason, in words for staff.
        not_run: the kind of reason, one of `Run.NotRun`.

    Returns:
        The ids of those that were stopped; the others had started.
    """
    waiting = TaskResult.objects.select_for_update().filter(task_id__in=task_ids, status__in=WAITING)
    stopped = set(waiting.values_list("task_id", flat=True))
    if stopped:
        TaskResult.objects.filter(task_id__in=stopped).update(
            status=states.REVOKED,
            date_done=timezone.now(),
            result=encode_words(because),
        )
        Run.objects.filter(pk__in=stopped).update(not_run_because=not_run, reason=because, hand_over_at=None)
    return stopped


def _cancel_planned(keys: Sequence[str], *, because: str) -> set[str]:
    rows = list(
        waiting_one_offs().select_for_update(of=("self",)).select_related("clocked").filter(name__in=keys)
    )
    if not rows:
        return set()
    now = timezone.now()
    cancelled = NotRun(Run.NotRun.CANCELLED, because)
    insert_runs(
        [
            run_of(
                row,
                due_at=row.clocked.clocked_time,
                hand_over_at=now,
                not_run=cancelled,
                mark=str(row.pk),
            )
            for row in rows
        ]
    )
    delete_one_offs(rows)
    return {row.name for row in rows}


def _cancel_due(keys: Sequence[str], *, because: str) -> Mapping[str, Cancellation]:
    latest = {
        str(result.periodic_task_name): result
        for result in TaskResult.objects.filter(periodic_task_name__in=keys)
        .select_related("run")
        .only("task_id", "periodic_task_name", "status", "date_started", "date_done", "run__not_run_because")
        .order_by("date_created")
    }
    waiting = [result.task_id for result in latest.values() if result.status in WAITING]
    stopped = cancel_runs(waiting, because=because) if waiting else set()
    return {
        key: STOPPED if result.task_id in stopped else _too_late(result) for key, result in latest.items()
    }


def _too_late(result: TaskResult) -> Cancellation:
    return Cancellation(stopped=False, words=_why_too_late(result))


def _why_too_late(result: TaskResult) -> str:
    match result.status:
        case states.STARTED:
            return f"too late: running since {result.date_started:%H:%M:%S} UTC"
        case states.SUCCESS:
            return f"too late: finished {result.date_done:%d %b %H:%M:%S} UTC"
        case states.FAILURE:
            return f"too late: failed {result.date_done:%d %b %H:%M:%S} UTC"
        case states.REVOKED:
            return NOT_RUN_WORDS[result.run.not_run_because if hasattr(result, "run") else ""]
        case _:
            return "too late: it has just started"
