"""Writing the timeline of an order."""

from datetime import datetime

from celery import current_task
from django.core.mail import EmailMessage
from django.utils import timezone

from orders.models import EventKind, Order, OrderEvent, User


def record(
    order: Order, kind: EventKind, words: str, *, by: User | None = None, at: datetime | None = None
) -> OrderEvent:
    """Add an entry to an order's timeline; within a run it names that run.

    Args:
        order: whose timeline.
        kind: what sort of thing happened.
        words: what happened, for staff.
        by: who did it; nobody if it happened by itself.
        at: when, if not now.
    """
    return OrderEvent.objects.create(
        order=order, kind=kind, words=words, actor=by, at=at or timezone.now(), task_id=current_run()
    )


def record_mail(order: Order, message: EmailMessage) -> OrderEvent:
    """Add an e-mail that was sent, with its text to read again."""
    return OrderEvent.objects.create(
        order=order,
        kind=EventKind.MAIL,
        words=f"{message.subject}: sent to {', '.join(message.to)}",
        message_id=message.extra_headers["Message-ID"],
        body=str(message.body),
        task_id=current_run(),
    )


def current_run() -> str:
    """Return the id of the run that this code is part of, or nothing outside of one."""
    return str(current_task.request.id or "") if current_task else ""
