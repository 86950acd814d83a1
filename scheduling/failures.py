"""Failures: recorded with their cause, and grouped by it."""

from django_celery_results.models import TaskResult

from scheduling.causes import ERROR_LENGTH, digest_of
from scheduling.models import Run
from scheduling.rerunning import halt_if_failing


def record_failure(task_id: str, error: str) -> None:
    """Record what a run failed with; called in the transaction that ends it.

    Args:
        error: what went wrong in a line; see `scheduling.causes.error_line`.
    """
    task_name = TaskResult.objects.filter(task_id=task_id).values_list("task_name", flat=True).first()
    Run.objects.filter(pk=task_id).update(error=error[:ERROR_LENGTH], cause=digest_of(task_name, error))
    halt_if_failing(task_id)
