"""The e-mails the shop sends: composed here, sent by tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.formats import date_format

from orders.models import Order
from orders.reports import Sales


@dataclass(frozen=True)
class MailKind:
    """One kind of e-mail.

    Args:
        name: of its templates, and part of its Message-ID.
        subject: with `{order}` where the order's number stands.
    """

    name: str
    subject: str


CONFIRMATION = MailKind("confirmation", "Your order {order}")
REMINDER = MailKind("payment_reminder", "Payment for your order {order}")


def order_mail(order: Order, kind: MailKind, *, number: int = 1) -> EmailMultiAlternatives:
    """Compose an e-mail to an order's customer.

    Args:
        order: with customer, payment details and lines.
        kind: which e-mail.
        number: how many of the kind it makes with those that went before.
    """
    return compose(
        kind.name,
        subject=kind.subject.format(order=order),
        to=[order.customer.email],
        message_id=order_message_id(order, kind, number=number),
        context={"order": order, "customer": order.customer, "details": order.payment_details},
    )


def order_message_id(order: Order, kind: MailKind, *, number: int = 1) -> str:
    """Return the Message-ID: the same for the same e-mail, so that sending it twice can be noticed."""
    return message_id(f"order-{order.pk}.{kind.name}{f'.{number}' if number > 1 else ''}")


def message_id(name: str) -> str:
    """Return a Message-ID under the domain the shop sends from."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{name}@{domain}>"


def compose(
    template: str, *, subject: str, to: Sequence[str], message_id: str, context: dict[str, Any]
) -> EmailMultiAlternatives:
    """Render the text and HTML of an e-mail from `templates/orders/mail/`."""
    context = {**context, "subject": subject, "shop": settings.ORDERS_SHOP_NAME}
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"orders/mail/{template}.txt", context),
        to=to,
        headers={"Message-ID": message_id},
    )
    message.attach_alternative(render_to_string(f"orders/mail/{template}.html", context), "text/html")
    return message


def sales_mail(day: date, sales: list[Sales], *, to: Sequence[str]) -> EmailMultiAlternatives:
    """Compose the sales report of a day for those it is sent to."""
    return compose(
        "sales_report",
        subject=f"Sales of {date_format(day, 'l, j F Y')}",
        to=to,
        message_id=message_id(f"sales-report.{day}"),
        context={"sales": sales},
    )
