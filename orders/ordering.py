"""The way of an order: placed, shipped, completed, cancelled. Each verb is one transaction."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from orders import timeline
from orders.models import EventKind, Order, OrderLine, OrderPaymentDetails, OrderStatus, User

COMES_FROM = {
    OrderStatus.PLACED: (OrderStatus.DRAFT,),
    OrderStatus.SHIPPED: (OrderStatus.PAID, OrderStatus.PLACED),
    OrderStatus.COMPLETED: (OrderStatus.SHIPPED,),
    OrderStatus.CANCELLED: (OrderStatus.DRAFT, OrderStatus.PLACED, OrderStatus.PAID),
}
"""The moves that somebody makes; to `paid` and `refunded` an order comes by its payments alone."""


def add_payment_details(order: Order) -> OrderPaymentDetails:
    """Give an order its payment details, unless it has them."""
    details, _ = OrderPaymentDetails.objects.get_or_create(order=order, defaults=_terms(order))
    return details


def build_payment_details(order: Order) -> OrderPaymentDetails:
    """Return the payment details of an order without storing them, for those who store many at once."""
    details = OrderPaymentDetails(order=order, **_terms(order))
    details.complete()
    return details


@transaction.atomic
def place(order: Order, *, by: User | None = None) -> Order:
    """Place a draft: from now on it is to be paid.

    Raises:
        ValidationError: it is no draft, or has no lines.
    """
    order = _lock(order, to=OrderStatus.PLACED)
    if not order.lines.exists():
        raise ValidationError("An order needs at least one line to be placed.")
    order.placed_at = timezone.now()
    order.payment_details.save(update_fields=["due_at"])
    return _move(order, OrderStatus.PLACED, EventKind.PLACED, "placed", by=by)


@transaction.atomic
def ship(order: Order, *, by: User | None = None) -> Order:
    """Record that the goods have left the house.

    Raises:
        ValidationError: the order is not paid, or went already.
    """
    order = _lock(order, to=OrderStatus.SHIPPED)
    if order.owed:
        raise ValidationError(f"{order.owed} {order.currency} of {order} is still to be paid.")
    order.shipped_at = timezone.now()
    return _move(order, OrderStatus.SHIPPED, EventKind.SHIPPED, "shipped", by=by)


@transaction.atomic
def complete(order: Order, *, by: User | None = None) -> Order:
    """Close a shipped order.

    Raises:
        ValidationError: it was not shipped.
    """
    order = _lock(order, to=OrderStatus.COMPLETED)
    return _move(order, OrderStatus.COMPLETED, EventKind.COMPLETED, "completed", by=by)


@transaction.atomic
def cancel(order: Order, *, because: str, by: User | None = None) -> Order:
    """Cancel an order that has not left the house. What was paid stays to be refunded.

    Args:
        order: the order.
        because: the reason, in words.
        by: who cancels it; nobody if it happens by itself.

    Raises:
        ValidationError: it was shipped or has ended.
    """
    order = _lock(order, to=OrderStatus.CANCELLED)
    return _move(order, OrderStatus.CANCELLED, EventKind.CANCELLED, f"cancelled: {because}", by=by)


@transaction.atomic
def recompute_total(order_id: int) -> None:
    """Bring an order's total, and what is due for it, in line with its lines.

    The order is locked before its lines are summed: of two who add a line at once, the second
    would otherwise write a sum without the first one's.
    """
    Order.objects.select_for_update(no_key=True).filter(pk=order_id).values_list("pk").first()
    total = OrderLine.objects.filter(order=order_id).aggregate(total=Sum("total", default=0))["total"]
    Order.objects.filter(pk=order_id).update(total=total)
    OrderPaymentDetails.objects.filter(order=order_id).update(amount_due=total)


def _terms(order: Order) -> dict[str, Any]:
    return {"terms_days": settings.ORDERS_PAYMENT_TERMS_DAYS, "amount_due": order.total}


def _lock(order: Order, *, to: OrderStatus) -> Order:
    """Return the order as it is stored, locked, if it may move to a status."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    if order.status not in COMES_FROM[to]:
        raise ValidationError(f"{order} is {order.status}: it cannot be {to} now.", code="status")
    return order


def _move(order: Order, to: OrderStatus, kind: EventKind, words: str, *, by: User | None) -> Order:
    order.status = to
    order.save(update_fields=["status", "placed_at", "shipped_at"])
    timeline.record(order, kind, words, by=by)
    return order
