"""The tasks of scheduling itself."""

from smtplib import SMTPException
from typing import Any, Literal

from celery import shared_task
from django.conf import settings

from scheduling import telling
from scheduling.models import AlertRule
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


@shared_task(
    bind=True,
    atomic=False,
    autoretry_for=(OSError, SMTPException),
    retry_backoff=30,
    retry_backoff_max=3600,
    max_retries=5,
    words="Tell of an alert",
    touches="E-mails and posts to whom the alert rule names.",
)
def tell(self: Any, rule_id: int, found: str, way: Literal["email", "webhook"]) -> str:
    """Tell of an alert in one way; run twice it tells twice.

    Retries: five, with growing pauses, when the mail server or the webhook fails.

    Returns:
        Who was told.
    """
    rule = AlertRule.objects.filter(pk=rule_id).first()
    return telling.tell(rule, found=found, way=way) if rule else "the rule was deleted"
