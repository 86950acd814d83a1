"""The tasks of scheduling itself."""

from celery import shared_task
from django.conf import settings

from scheduling.pruning import prune_runs


@shared_task(
    atomic=False,
    schedulable=True,
    words="Prune old runs",
    touches="Deletes runs that ended longer ago than they are kept for.",
)
def prune_results() -> str:
    """Delete runs that ended longer ago than they are kept for; safe to run twice.

    Retries: none, the next night does it. Each batch is a transaction of its own.

    Returns:
        How many, in words.
    """
    succeeded, others = prune_runs(
        keep_succeeded=settings.SCHEDULING_KEEP_SUCCEEDED,
        keep_others=settings.SCHEDULING_KEEP_OTHERS,
    )
    return f"deleted {succeeded} that succeeded and {others} others"
