"""Money for an order: received, refunded, reversed. Each verb is one transaction and adds one entry."""

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from orders import accounts, timeline
from orders.models import (
    EventKind,
    Order,
    OrderPaymentDetails,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentState,
    User,
)


@transaction.atomic
def receive(
    order: Order,
    *,
    amount: Decimal,
    reference: str,
    method: PaymentMethod = PaymentMethod.TRANSFER,
    received_at: datetime | None = None,
    by: User | None = None,
    note: str = "",
) -> Payment:
    """Record a payment. One that covers what is due makes the order paid.

    Args:
        order: what it is for.
        amount: in the order's currency.
        reference: the bank's or gateway's own; the same one twice is refused.
        method: how it came; from the customer's account it is taken off there.
        received_at: when the money came, if not now.
        by: who records it.
        note: for colleagues.

    Raises:
        ValidationError: the order is a draft, the reference is known, or the account holds too little.
    """
    order = _lock(order)
    if order.status == OrderStatus.DRAFT:
        raise ValidationError("A draft cannot be paid: place the order first.")
    payment = Payment(
        order=order,
        kind=PaymentKind.RECEIVED,
        amount=amount,
        reference=reference,
        method=method,
        received_at=received_at or timezone.now(),
        recorded_by=by,
        note=note,
    )
    return _enter(payment)


@transaction.atomic
def refund(
    order: Order,
    *,
    amount: Decimal,
    reference: str,
    method: PaymentMethod = PaymentMethod.TRANSFER,
    by: User | None = None,
    note: str = "",
) -> Payment:
    """Give money back. All of it given back, an order that was paid is refunded.

    Args:
        order: what it was for.
        amount: in the order's currency, at most what the shop holds.
        reference: the bank's or gateway's own.
        method: how it goes; to the customer's account it is added there.
        by: who records it.
        note: for colleagues.

    Raises:
        ValidationError: more than the shop holds, or the order still waits for its payment.
    """
    order = _lock(order)
    if order.owed:
        raise ValidationError(f"{order} is not paid yet: cancel it, or reverse the payment, instead.")
    if amount > order.held:
        raise ValidationError(f"Only {order.held} {order.currency} can be given back.")
    payment = Payment(
        order=order,
        kind=PaymentKind.REFUNDED,
        amount=amount,
        reference=reference,
        method=method,
        recorded_by=by,
        note=note,
    )
    return _enter(payment)


@transaction.atomic
def reverse(payment: Payment, *, by: User | None = None, note: str = "") -> Payment:
    """Take a payment out that was entered wrongly or taken back by the bank.

    Raises:
        ValidationError: it was reversed before, is no payment received, or was refunded meanwhile.
    """
    order = _lock(payment.order)
    if payment.amount > order.held:
        raise ValidationError("It was given back already, or in part, and cannot be reversed any more.")
    reversal = Payment(
        order=order,
        kind=PaymentKind.REVERSED,
        amount=payment.amount,
        reference=f"{payment.reference}/reversed",
        method=payment.method,
        reverses=payment,
        recorded_by=by,
        note=note,
    )
    return _enter(reversal)


@transaction.atomic
def settle(order: Order, *, at: datetime) -> Order | None:
    """Bring an order's status in line with its payment entries.

    Writes by `update()`: it answers the signal of a payment, and must not set off another one.

    Args:
        order: the order.
        at: when the entry that may have changed things was made.

    Returns:
        The order, if its status changed.
    """
    order = _lock(order)
    covered = order.due > 0 and order.owed == 0
    unsettled = OrderPaymentDetails.objects.filter(order=order, settled_at__isnull=True)
    if covered:
        unsettled.update(settled_at=at)
    elif order.owed:
        OrderPaymentDetails.objects.filter(order=order).update(settled_at=None)
    status = _status_by_payments(order, covered=covered)
    return _move(order, status) if status != order.status else None


def _status_by_payments(order: Order, *, covered: bool) -> str:
    was_paid = order.status in (OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
    if was_paid and order.payment_state == PaymentState.REFUNDED:
        return OrderStatus.REFUNDED
    if order.status == OrderStatus.PLACED and covered:
        return OrderStatus.PAID
    if order.status == OrderStatus.PAID and not covered:
        return OrderStatus.PLACED
    return order.status


def _move(order: Order, status: str) -> Order:
    words = {
        OrderStatus.PAID: (EventKind.PAID, "paid in full"),
        OrderStatus.REFUNDED: (EventKind.REFUNDED, "refunded in full"),
        OrderStatus.PLACED: (
            EventKind.CHANGED,
            f"no longer paid: {order.owed} {order.currency} is owed again",
        ),
    }
    order.status = status
    Order.objects.filter(pk=order.pk).update(status=status)
    timeline.record(order, *words[OrderStatus(status)])
    return order


def _enter(payment: Payment) -> Payment:
    """Store an entry, and its other side on the customer's account if it is paid from there."""
    payment.currency = payment.order.currency
    payment.full_clean()
    payment.save()
    if payment.method == PaymentMethod.ACCOUNT:
        account = payment.order.customer.account
        if account.currency != payment.currency:
            raise ValidationError(f"The account is in {account.currency}.")
        amount = payment.amount if payment.kind != PaymentKind.RECEIVED else -payment.amount
        accounts.move(account, amount=amount, words=f"{payment.order} {payment.kind}", payment=payment)
    return payment


def _lock(order: Order) -> Order:
    """Return the order as it is stored, locked, so that two entries cannot both be the last one."""
    return Order.objects.select_for_update(no_key=True).get(pk=order.pk)
