"""Writing runs: a task result and what we keep beside it, always as a pair."""

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import batched, zip_longest
from typing import Any

from celery import states
from celery.app.task import Task
from django.db import router
from django.db.models import Model, QuerySet
from django.db.models.constants import OnConflict
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.arguments import names_by_place
from scheduling.encoding import CONTENT_ENCODING, CONTENT_TYPE, encode_words
from scheduling.models import Run

WAITING = (states.PENDING, states.RETRY)
"""The states from which a worker may claim a run."""

UNFINISHED = (states.PENDING, states.RETRY, states.STARTED)
"""The states of a run that is still to end."""

BATCH = 500

_HIDDEN = "hidden"
_NAMESPACE = uuid.UUID("6f1c6ab1-6b0f-4f0e-9f27-5a4f3f3c7c62")


def run_id(*, key: str, due_at: datetime, mark: str = "") -> str:
    """Return the task id of one occurrence: the same for whoever computes it.

    Two schedulers, or one before and after a crash, so write the same row.

    Args:
        key: the periodic task's name.
        due_at: the occurrence, aware.
        mark: tells apart what is recorded about the same occurrence, such as its cancellation.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{key}|{due_at.timestamp():.6f}|{mark}"))


def subject_of(key: str) -> str:
    """Return whom a key is about: "order:123" of "order:123/payment-reminder", else nothing."""
    subject, slash, _ = key.partition("/")
    return subject if slash and ":" in subject else ""


def ran_under(keys: Collection[str]) -> QuerySet[TaskResult]:
    """Return the task results of work that was due under these keys and was not cancelled."""
    return TaskResult.objects.filter(periodic_task_name__in=keys).exclude(
        run__not_run_because=Run.NotRun.CANCELLED
    )


def shown_arguments(task: Task | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as people and logs may see them."""
    secret: Sequence[str] = getattr(task, "secret_arguments", ())
    return {name: _HIDDEN if name in secret else value for name, value in kwargs.items()}


def shown_positionals(task: Task | None, args: Sequence[Any]) -> list[Any]:
    """Return the positional arguments as people and logs may see them."""
    secret: Sequence[str] = getattr(task, "secret_arguments", ())
    names = names_by_place(task, len(args)) if task and secret else []
    return [_HIDDEN if name in secret else value for value, name in zip_longest(args, names)]


def build_result(
    *,
    task_id: str,
    task_name: str,
    key: str | None = None,
    args: Sequence[Any] = (),
    shown_kwargs: dict[str, Any] | None = None,
    status: str = states.PENDING,
    error: str = "",
) -> TaskResult:
    """Return an unsaved task result as django-celery-results itself would read it.

    Args:
        error: for a run that ended without being run, why; stored as Celery stores an exception.
    """
    now = timezone.now()
    return TaskResult(
        task_id=task_id,
        task_name=task_name,
        periodic_task_name=key,
        task_args=json.dumps(list(args)),
        task_kwargs=json.dumps(shown_kwargs or {}),
        status=status,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        result=encode_words(error) if error else None,
        date_created=now,
        date_done=now if status in states.READY_STATES else None,
    )


def insert_runs(runs: Sequence[Run]) -> None:
    """Store runs with the unsaved task results they carry; what is there already stays as it is.

    Two statements for each `BATCH`: an outage may leave more missed runs than one can name.
    """
    for batch in batched(runs, BATCH):
        _insert_as_given(TaskResult, [run.task_result for run in batch])
        _insert_as_given(Run, batch)


def _insert_as_given(model: type[Model], rows: Iterable[Model]) -> None:
    """Insert in bulk without `pre_save`, and without the columns that are empty in every row.

    `TaskResult.date_done` is `auto_now`: `bulk_create` would date the end of runs that have not
    even started. A quarter of the columns are empty in a new run, and each costs what a full one does.
    """
    rows = list(rows)
    fields = [
        field for field in model._meta.concrete_fields if not field.generated and _is_given(field, rows)
    ]
    model._default_manager.all()._insert(  # type: ignore[attr-defined]
        rows,
        fields=fields,
        using=router.db_for_write(model),
        raw=True,
        on_conflict=OnConflict.IGNORE,
    )


def _is_given(field: Any, rows: Sequence[Model]) -> bool:
    """Whether any row has a value for the column: a serial number or nothing is the database's to fill in."""
    return not (field.null or field.primary_key) or any(
        getattr(row, field.attname) is not None for row in rows
    )
