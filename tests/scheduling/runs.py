"""Runs in any state, saved with their task results."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.models import Run
from scheduling.runs import build_result, insert_runs

RESULT_FIELDS = {field.name for field in TaskResult._meta.get_fields()}


def make_run(status: str = states.PENDING, **fields: Any) -> Run:
    """Make a run that was due a minute ago.

    Args:
        fields: columns of the task result or of the run.
    """
    now = timezone.now()
    of_result = {name: fields.pop(name) for name in list(fields) if name in RESULT_FIELDS}
    result = build_result(
        task_id=of_result.pop("task_id", None) or str(uuid.uuid4()),
        task_name=of_result.pop("task_name", "scheduling.tasks.prune_results"),
        status=status,
    )
    if status not in (states.PENDING, states.REVOKED):
        result.worker = "celery@worker-a"
        result.date_started = now - timedelta(seconds=50)
    for name, value in of_result.items():
        setattr(result, name, value)
    run = Run(task_result=result, **{"due_at": a_minute_ago(now), "queue": "celery", **fields})
    insert_runs([run])
    return Run.objects.select_related("task_result").get(pk=result.task_id)


def a_minute_ago(now: datetime) -> datetime:
    return now - timedelta(minutes=1)
