"""Turning one occurrence of a periodic task into its run."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app, states
from celery.app.task import Task
from django_celery_beat.models import PeriodicTask

from scheduling.causes import ERROR_LENGTH, digest_of
from scheduling.encoding import check_json
from scheduling.exceptions import InvalidPlan
from scheduling.models import Run
from scheduling.planning import check_arguments
from scheduling.runs import build_result, run_id, shown_arguments, shown_positionals, subject_of

PLANNED_BY_LENGTH = Run._meta.get_field("planned_by").max_length
ROUTING = ("queue", "exchange", "routing_key", "priority")


@dataclass(frozen=True)
class NotRun:
    """Why an occurrence is recorded without being run.

    Args:
        because: one of `Run.NotRun`, or nothing if it failed before it could be handed over.
        words: the reason for staff.
    """

    because: str
    words: str

    @property
    def status(self) -> str:
        """The state Celery has for it."""
        return states.REVOKED if self.because else states.FAILURE


EXPIRED = NotRun(Run.NotRun.EXPIRED, "its end time had passed")


def run_of(
    periodic_task: PeriodicTask,
    *,
    due_at: datetime,
    hand_over_at: datetime,
    not_run: NotRun | None = None,
    mark: str = "",
    task_id: str = "",
) -> Run:
    """Return the unsaved run of one occurrence, with its task result.

    Rows edited by hand may hold anything: arguments that are not JSON or that the task does not
    take end the run as failed, in words, instead of stopping the scheduler.

    Args:
        periodic_task: the row as beat keeps it.
        due_at: the occurrence.
        hand_over_at: when it is to be published.
        not_run: set if it is only recorded.
        mark: see `run_id`.
        task_id: of a run that is no occurrence.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    task: Task | None = None
    try:
        args, kwargs, headers = _arguments_of(periodic_task)
        task = _task_of(periodic_task)
        check_arguments(task, kwargs, args)
    except InvalidPlan as error:
        not_run = not_run or NotRun("", str(error))
    result = build_result(
        task_id=task_id or run_id(key=periodic_task.name, due_at=due_at, mark=mark),
        task_name=periodic_task.task,
        key=periodic_task.name,
        args=shown_positionals(task, args),
        shown_kwargs=shown_arguments(task, kwargs),
        status=not_run.status if not_run else states.PENDING,
        error=not_run.words if not_run else "",
    )
    planned_by = str(headers.pop("planned_by", None) or "")[:PLANNED_BY_LENGTH]
    failed_with = not_run.words if not_run and not not_run.because else ""
    return Run(
        task_result=result,
        subject=subject_of(periodic_task.name),
        planned_at=periodic_task.date_changed if periodic_task.clocked_id else None,
        due_at=due_at,
        args=args,
        kwargs=kwargs,
        options=_options_of(periodic_task, headers, due_at),
        queue=periodic_task.queue or _queue_of(task),
        reason=not_run.words if not_run else periodic_task.description,
        planned_by=planned_by,
        hand_over_at=None if not_run else hand_over_at,
        not_run_because=not_run.because if not_run else "",
        error=failed_with[:ERROR_LENGTH],
        cause=digest_of(periodic_task.task, failed_with) if failed_with else "",
    )


def _arguments_of(periodic_task: PeriodicTask) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    args = _json_of(periodic_task, "args", list)
    kwargs = _json_of(periodic_task, "kwargs", dict)
    headers = _json_of(periodic_task, "headers", dict)
    return args, kwargs, headers


def _json_of[T: (list[Any], dict[str, Any])](periodic_task: PeriodicTask, name: str, kind: type[T]) -> T:
    text = getattr(periodic_task, name)
    try:
        value = json.loads(text) if text else kind()
        check_json(value)
    except (ValueError, RecursionError) as error:
        raise InvalidPlan(f"{name} of {periodic_task.name} are not JSON: {error}") from error
    if not isinstance(value, kind):
        raise InvalidPlan(f"{name} of {periodic_task.name} must be a JSON {kind.__name__}")
    return value


def _task_of(periodic_task: PeriodicTask) -> Task:
    try:
        return current_app.tasks[periodic_task.task]
    except KeyError:
        raise InvalidPlan(f"there is no task {periodic_task.task}") from None


def _queue_of(task: Task | None) -> str:
    """Return the queue that the task's own option, the project's routes or its default name."""
    if task is None:
        return str(current_app.conf.task_default_queue)
    route = current_app.amqp.router.route({"queue": getattr(task, "queue", None)}, task.name, task_type=task)
    return str(route["queue"].name) if "queue" in route else ""


def _options_of(periodic_task: PeriodicTask, headers: dict[str, Any], due_at: datetime) -> dict[str, Any]:
    options = {name: value for name in ROUTING if (value := getattr(periodic_task, name)) not in (None, "")}
    if headers:
        options["headers"] = headers
    if expires := _expiry_of(periodic_task, due_at):
        options["expires"] = expires.isoformat()
    return options


def _expiry_of(periodic_task: PeriodicTask, due_at: datetime) -> datetime | None:
    if periodic_task.expire_seconds:
        return due_at + timedelta(seconds=periodic_task.expire_seconds)
    return periodic_task.expires if periodic_task.clocked_id else None
