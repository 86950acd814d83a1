"""Runs of messages that we did not plan: third-party code that calls `.delay()` or `apply_async()`."""

from collections.abc import Sequence
from typing import Any

from celery.app.task import Context, Task
from celery.utils.time import maybe_iso8601, maybe_make_aware
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.encoding import as_json, storable
from scheduling.models import Run
from scheduling.runs import build_result, insert_runs, shown_arguments, shown_positionals, subject_of

PLANNED_HEADER = "planned"
"""Marks the messages whose run is written already; its value is whether it was planned, not only sent."""

SENT_BY = "code"
"""Who planned the run of a message that was sent without a plan."""

NOT_WHOLE = "some of its arguments no database stores: a further attempt gets them as they are shown here"

PLACE = ("group_id", "group_index", "chord", "chain", "callbacks", "errbacks", "root_id", "parent_id")
"""The options that give a message its place in a chain, a group or a chord."""

LIMITS = ("expires", "time_limit", "soft_time_limit")
"""The options that say how long it may wait and run."""


def record_publish(*, headers: dict[str, Any], body: Sequence[Any], task: Task | None, queue: str) -> None:
    """Write the run of a message that is about to be published by anyone but our scheduler.

    At publish the arguments are whole; later only a shortened text of them is left.

    Args:
        headers: the message's headers (Celery's protocol 2); secret arguments are hidden in them.
        body: its positional and keyword arguments, and the callbacks.
    """
    if PLANNED_HEADER in headers:
        return
    args, kwargs, callbacks = body
    if getattr(task, "secret_arguments", ()):
        headers["argsrepr"] = repr(shown_positionals(task, args))
        headers["kwargsrepr"] = repr(shown_arguments(task, kwargs))
    _insert(Context({**headers, **callbacks}), args=args, kwargs=kwargs, task=task, queue=queue)


def record_delivery(request: Context, *, args: Sequence[Any], kwargs: dict[str, Any], task: Task) -> bool:
    """Write the run of a message from a publisher that knows nothing of us.

    Returns:
        False if the run is known already, so that it was not this delivery that brought it, or was
        planned and is gone: pruned long after it ended.
    """
    if hasattr(request, PLANNED_HEADER) or TaskResult.objects.filter(task_id=request.id).exists():
        return False
    queue = (request.delivery_info or {}).get("routing_key") or ""
    _insert(request, args=args, kwargs=kwargs, task=task, queue=queue)
    return True


def _insert(
    message: Context, *, args: Sequence[Any], kwargs: dict[str, Any], task: Task | None, queue: str
) -> None:
    now = timezone.now()
    given = as_json([list(args), kwargs, _options_of(message)])
    args, kwargs, options = kept = storable(given)
    key = getattr(message, "periodic_task_name", None)
    result = build_result(
        task_id=message.id,
        task_name=task.name if task else message.task,
        key=key,
        args=shown_positionals(task, args),
        shown_kwargs=shown_arguments(task, kwargs),
    )
    run = Run(
        task_result=result,
        subject=subject_of(key or ""),
        due_at=maybe_make_aware(maybe_iso8601(message.eta)) if message.eta else now,
        args=args,
        kwargs=kwargs,
        options=options,
        queue=queue,
        reason="" if kept == given else NOT_WHOLE,
        handed_over_at=now,
        hand_overs=1,
        attempt=message.retries + 1,
        planned_by=SENT_BY,
        parent_id=message.parent_id or "",
        group_id=message.group or "",
    )
    # Both or none; and an error here must not break the caller's transaction.
    with transaction.atomic():
        insert_runs([run])


def _options_of(message: Context) -> dict[str, Any]:
    """Return what a further attempt's message needs to stand in for this one."""
    given = {name: message.get(name) for name in (*PLACE, *LIMITS)} | {"group_id": message.group}
    return {name: value for name, value in given.items() if value not in (None, [])}
