"""Every task of the shop: fetch, look whether it is still wanted, call one verb, say what was done."""

from collections.abc import Callable
from datetime import date, timedelta
from smtplib import SMTPException
from typing import Annotated, Any

from celery import shared_task
from django.conf import settings
from django.core.validators import validate_email
from django.utils import timezone

from orders import mails, ordering, timeline
from orders.models import Order, OrderEvent, OrderStatus
from orders.pruning import prune_events
from orders.reports import sales_on
from scheduling.arguments import ModelKey
from scheduling.execution import Task

OrderKey = Annotated[int, ModelKey("orders.Order")]

# E-mail waits for a network, so it holds no transaction meanwhile.
MAIL: dict[str, Any] = {
    "bind": True,
    "atomic": False,
    "autoretry_for": (OSError, SMTPException),
    "retry_backoff": 30,
    "retry_backoff_max": 3600,
    "max_retries": 5,
}


@shared_task(**MAIL, words="Order confirmation", touches="Sends the customer an e-mail.")
def send_order_confirmation(self: Task, order_id: OrderKey) -> str:
    """Confirm an order to its customer.

    Retries: five, when the mail server cannot be reached. Safe to run twice: sends nothing if it was
    sent, and a copy sent by a crash in between has the same Message-ID.

    Args:
        order_id: the order's primary key.

    Returns:
        What was done, or why nothing was, in words.
    """
    return _send(self, order_id, mails.CONFIRMATION, not_wanted=_is_not_open)


@shared_task(
    **MAIL,
    schedulable=True,
    words="Payment reminder",
    touches="Sends the customer an e-mail, if anything is still owed.",
)
def send_payment_reminder(
    self: Task,
    order_id: OrderKey,
    number: Annotated[int, "Each is sent once: 2 reminds again who was reminded before."] = 1,
) -> str:
    """Remind a customer of what is still to be paid.

    Retries: five, when the mail server cannot be reached. Safe to run twice, as the confirmation is.

    Args:
        order_id: the order's primary key.
        number: which reminder of this order it is.

    Returns:
        What was done, or why nothing was, in words.
    """
    return _send(self, order_id, mails.REMINDER, number=number, not_wanted=_is_not_owed)


@shared_task(words="Cancel if unpaid", touches="Cancels the order unless it is paid.")
def cancel_unpaid_order(order_id: OrderKey) -> str:
    """Cancel an order whose payment did not come.

    Retries: none; its effect is one transaction with its success. Safe to run twice: an order that
    is paid or cancelled stays as it is.

    Args:
        order_id: the order's primary key.

    Returns:
        What was done, or why nothing was, in words.
    """
    order = Order.objects.select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        return "not cancelled: the order is gone"
    if reason := _is_not_owed(order):
        return f"not cancelled: {reason}"
    ordering.cancel(order, because="its payment did not come")
    return f"cancelled {order}"


@shared_task(
    **MAIL,
    schedulable=True,
    words="Sales report",
    touches="Sends an e-mail to those you name.",
)
def sales_report(
    self: Task,
    recipients: Annotated[
        list[Annotated[str, validate_email]] | None,
        "One address on each line. Empty: those named in the settings.",
    ] = None,
    day: Annotated[date | None, "Empty: yesterday."] = None,
) -> str:
    """Send the figures of a day to those who asked for them.

    Retries: five, when the mail server cannot be reached. Run twice it is sent twice, with the same
    Message-ID.

    Args:
        recipients: their addresses; those named in the settings if left out.
        day: in the shop's time zone; yesterday if left out.

    Returns:
        What was done, or why nothing was, in words.
    """
    to = recipients or settings.ORDERS_REPORT_RECIPIENTS
    if not to:
        return "not sent: nobody is named in ORDERS_REPORT_RECIPIENTS"
    on = day or timezone.localdate() - timedelta(days=1)
    mails.sales_mail(on, sales_on(on), to=to).send()
    return f"sales of {on} sent to {', '.join(to)}"


@shared_task(
    bind=True,
    atomic=False,
    schedulable=True,
    words="Prune order timelines",
    touches="Deletes timeline entries older than they are kept for.",
)
def prune_order_events(self: Task) -> str:
    """Delete entries of order timelines that are older than they are kept for.

    Retries: none, the next night does it. Each batch is a transaction of its own.

    Returns:
        How many, in words.
    """
    done = 0
    for done in prune_events(before=timezone.now() - settings.ORDERS_KEEP_EVENTS):
        self.progress(done, words="timeline entries deleted")
    return f"deleted {done} timeline entries"


def _send(
    task: Task, order_id: int, kind: mails.MailKind, *, number: int = 1, not_wanted: Callable[[Order], str]
) -> str:
    related = Order.objects.select_related("customer", "payment_details").with_payments()
    order = related.prefetch_related("lines").filter(pk=order_id).first()
    if order is None:
        return "not sent: the order is gone"
    if reason := not_wanted(order) or _is_sent(order, kind, number):
        return f"not sent: {reason}"
    message = mails.order_mail(order, kind, number=number)
    message.send()
    with task.effect():
        timeline.record_mail(order, message)
    return f"sent to {', '.join(message.to)}"


def _is_not_open(order: Order) -> str:
    over = order.status in (OrderStatus.DRAFT, OrderStatus.CANCELLED, OrderStatus.REFUNDED)
    return f"the order is {order.status}" if over else ""


def _is_not_owed(order: Order) -> str:
    if order.status != OrderStatus.PLACED:
        return f"the order is {order.status}"
    return "" if order.owed else "nothing is owed"


def _is_sent(order: Order, kind: mails.MailKind, number: int) -> str:
    message_id = mails.order_message_id(order, kind, number=number)
    sent = OrderEvent.objects.filter(message_id=message_id).exists()
    return "it was sent already" if sent else ""
