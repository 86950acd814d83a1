"""Orders that happened already, here or elsewhere: stored whole and in bulk.

An order that is placed now gets its payment details, timeline and follow-ups from receivers, one at
a time. An order of the past gets the same from here, in five statements for any number of orders;
nothing is planned for it, and nobody is written to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from orders.models import (
    EventKind,
    Order,
    OrderEvent,
    OrderLine,
    OrderPaymentDetails,
    Payment,
    PaymentKind,
    PaymentMethod,
    User,
)
from orders.ordering import build_payment_details


@dataclass
class PastOrder:
    """An order and what became of it; none of it stored yet.

    Args:
        order: its total is computed from the lines.
        lines: of the order.
        payments: entries in the order they were made.
        events: its timeline.
    """

    order: Order
    lines: Sequence[OrderLine]
    payments: list[Payment] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Compute the totals, as saving each line would."""
        for line in self.lines:
            line.order = self.order
            line.complete()
        self.order.total = sum((line.total for line in self.lines), Decimal(0))

    def add_payment(
        self,
        amount: Decimal,
        *,
        at: datetime,
        reference: str,
        kind: PaymentKind = PaymentKind.RECEIVED,
        method: PaymentMethod = PaymentMethod.TRANSFER,
        note: str = "",
    ) -> Payment:
        """Add a payment entry; see `orders.payments` for those of today."""
        payment = Payment(
            order=self.order,
            kind=kind,
            amount=amount,
            currency=self.order.currency,
            method=method,
            reference=reference,
            received_at=at,
            note=note,
        )
        self.payments.append(payment)
        return payment

    def add_event(
        self, kind: EventKind, words: str, *, at: datetime, by: User | None = None, **fields: str
    ) -> None:
        """Add an entry to the timeline."""
        self.events.append(OrderEvent(order=self.order, kind=kind, words=words, at=at, actor=by, **fields))

    def payment_details(self) -> OrderPaymentDetails:
        """Return the payment details, on the shop's terms."""
        details = build_payment_details(self.order)
        details.settled_at = self.settled_at
        return details

    @property
    def settled_at(self) -> datetime | None:
        """When the payments came to cover the total, if they did."""
        received = Decimal(0)
        for payment in self.payments:
            received += payment.amount if payment.kind == PaymentKind.RECEIVED else 0
            if received >= self.order.total:
                return payment.received_at
        return None


@transaction.atomic
def store(past: Sequence[PastOrder]) -> None:
    """Store orders with everything of theirs, in five statements."""
    Order.objects.bulk_create(one.order for one in past)
    OrderPaymentDetails.objects.bulk_create(one.payment_details() for one in past)
    OrderLine.objects.bulk_create(line for one in past for line in one.lines)
    Payment.objects.bulk_create(payment for one in past for payment in one.payments)
    OrderEvent.objects.bulk_create(event for one in past for event in one.events)
