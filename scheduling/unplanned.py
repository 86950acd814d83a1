"""Runs of messages that we did not plan: third-party code that calls `.delay()` or `apply_async()`."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery.app.task import Context, Task
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.models import Run
from scheduling.runs import build_result, insert_runs, shown_arguments, subject_of

PLANNED_HEADER = "planned"
"""Marks the messages whose run is written already."""


def record_publish(*, headers: Mapping[str, Any], body: Sequence[Any], task: Task | None, queue: str) -> None:
    """Write the run of a message that is about to be published by anyone but our scheduler.

    At publish the arguments are whole; later only a shortened text of them is left.

    Args:
        headers: the message's headers (Celery's protocol 2).
        body: its positional and keyword arguments, and more.
    """
    if PLANNED_HEADER in headers or headers.get("ignore_result"):
        return
    _insert(
        task_id=headers["id"],
        task_name=headers["task"],
        key=headers.get("periodic_task_name"),
        args=body[0],
        kwargs=body[1],
        task=task,
        queue=queue,
        parent_id=headers.get("parent_id"),
        group_id=headers.get("group"),
    )


def record_delivery(request: Context, *, args: Sequence[Any], kwargs: dict[str, Any], task: Task) -> bool:
    """Write the run of a message from a publisher that knows nothing of us.

    Returns:
        False if the run is known already, so that it was not this delivery that brought it.
    """
    if TaskResult.objects.filter(task_id=request.id).exists():
        return False
    _insert(
        task_id=request.id,
        task_name=task.name,
        key=getattr(request, "periodic_task_name", None),
        args=args,
        kwargs=kwargs,
        task=task,
        queue=(request.delivery_info or {}).get("routing_key") or "",
        parent_id=request.parent_id,
        group_id=request.group,
    )
    return True


def _insert(
    *,
    task_id: str,
    task_name: str,
    key: str | None,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    task: Task | None,
    queue: str,
    parent_id: str | None,
    group_id: str | None,
) -> None:
    now = timezone.now()
    result = build_result(
        task_id=task_id,
        task_name=task_name,
        key=key,
        args=args,
        shown_kwargs=shown_arguments(task, kwargs),
    )
    run = Run(
        task_result=result,
        subject=subject_of(key or ""),
        due_at=now,
        args=list(args),
        kwargs=kwargs,
        queue=queue,
        handed_over_at=now,
        hand_overs=1,
        planned_by="code",
        parent_id=parent_id or "",
        group_id=group_id or "",
    )
    insert_runs([run])
