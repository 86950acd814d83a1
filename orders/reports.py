"""The sales report: what a day brought, per currency."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Sum
from django.utils import timezone

from orders.models import Order, OrderStatus, Payment
from orders.models.money import NOTHING
from orders.models.payments import paid_amount, refunded_amount


@dataclass
class Sales:
    """What one day brought in one currency.

    Args:
        currency: ISO 4217.
        orders: how many were placed.
        ordered: their totals.
        received: money received that day, less what was reversed.
        refunded: money given back that day.
    """

    currency: str
    orders: int = 0
    ordered: Decimal = NOTHING
    received: Decimal = NOTHING
    refunded: Decimal = NOTHING


def sales_on(day: date) -> list[Sales]:
    """Return a day's sales, a row a currency, by the shop's time zone.

    Two statements, each over the index of its times.
    """
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    sales: dict[str, Sales] = {}
    placed = Order.objects.placed_between(start, end).exclude(status=OrderStatus.CANCELLED).order_by()
    for row in placed.values("currency").annotate(orders=Count("pk"), ordered=Sum("total")):
        sales[row["currency"]] = Sales(**row)
    paid = Payment.objects.filter(received_at__gte=start, received_at__lt=end).order_by()
    for money in paid.values("currency").annotate(received=paid_amount(), refunded=refunded_amount()):
        one = sales.setdefault(money["currency"], Sales(money["currency"]))
        one.received, one.refunded = money["received"], money["refunded"]
    return [sales[currency] for currency in sorted(sales)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
