"""The figures on top of the dashboard: what was ordered, what is owed, who paid on time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When
from django.db.models.functions import TruncDate

from backoffice.dashboard.period import Period
from orders.models import Order, OrderPaymentDetails, OrderStatus
from orders.models.money import AmountField

NOT_SOLD = (OrderStatus.DRAFT, OrderStatus.CANCELLED, OrderStatus.REFUNDED)

AGES = ("not yet due", "1–7 days", "8–30 days", "over 30 days")
"""How long what is owed has been overdue."""


@dataclass
class Sales:
    """What was ordered in one currency, day by day over a period and the one before it."""

    orders: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    revenue: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def orders_in(self, period: Period) -> int:
        """Return how many orders were placed."""
        return sum(self.orders[day] for day in period.each_day() if day in self.orders)

    def revenue_in(self, period: Period) -> Decimal:
        """Return what they come to."""
        return sum((self.revenue[day] for day in period.each_day() if day in self.revenue), Decimal(0))


@dataclass
class Debt:
    """What is owed in one currency, by how long it has been overdue."""

    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(AGES, Decimal(0)))
    orders: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))

    @property
    def owed(self) -> Decimal:
        """All of it."""
        return sum(self.amounts.values(), Decimal(0))

    @property
    def overdue(self) -> Decimal:
        """What should have been paid by now."""
        return self.owed - self.amounts[AGES[0]]

    @property
    def orders_owed(self) -> int:
        """How many orders it is owed for."""
        return sum(self.orders.values())

    @property
    def orders_overdue(self) -> int:
        """For how many of them it is overdue."""
        return self.orders_owed - self.orders[AGES[0]]


@dataclass(frozen=True)
class Punctuality:
    """How many of the orders settled in a period were settled in time."""

    settled: int
    on_time: int

    @property
    def percent(self) -> int | None:
        """The share, none where nothing was settled."""
        return round(100 * self.on_time / self.settled) if self.settled else None


def sales(period: Period) -> dict[str, Sales]:
    """Return for each currency what was ordered in the period and the one before, in one statement."""
    rows = (
        Order.objects.placed_between(period.before.start, period.end)
        .exclude(status__in=NOT_SOLD)
        .annotate(day=TruncDate("placed_at"))
        .order_by()
        .values_list("currency", "day")
        .annotate(orders=Count("pk"), revenue=Sum("total"))
    )
    found: dict[str, Sales] = defaultdict(Sales)
    for currency, day, orders, revenue in rows:
        found[currency].orders[day] = orders
        found[currency].revenue[day] = revenue
    return found


def debts(now: datetime) -> dict[str, Debt]:
    """Return for each currency what is owed, in one statement over the unsettled orders."""
    age = Case(
        When(payment_details__due_at__gte=now, then=Value(AGES[0])),
        When(payment_details__due_at__gte=now - timedelta(days=7), then=Value(AGES[1])),
        When(payment_details__due_at__gte=now - timedelta(days=30), then=Value(AGES[2])),
        default=Value(AGES[3]),
        output_field=CharField(),
    )
    rows = (
        Order.objects.owed()
        .annotate(age=age)
        .order_by()
        .values_list("currency", "age")
        .annotate(orders=Count("pk"), amount=Sum(F("due") - F("paid"), output_field=AmountField()))
    )
    found: dict[str, Debt] = defaultdict(Debt)
    for currency, age_words, orders, amount in rows:
        found[currency].orders[age_words] = orders
        found[currency].amounts[age_words] = amount
    return found


def punctuality(period: Period) -> tuple[Punctuality, Punctuality]:
    """Return how punctually orders were paid in the period and in the one before."""
    in_time = Q(settled_at__lte=F("due_at"))
    counts = OrderPaymentDetails.objects.filter(
        settled_at__gte=period.before.start, settled_at__lt=period.end
    ).aggregate(
        **{
            f"{name}_{what}": Count("pk", filter=_settled_in(each) & condition)
            for name, each in (("now", period), ("before", period.before))
            for what, condition in (("settled", Q()), ("on_time", in_time))
        }
    )
    return (
        Punctuality(counts["now_settled"], counts["now_on_time"]),
        Punctuality(counts["before_settled"], counts["before_on_time"]),
    )


def _settled_in(period: Period) -> Q:
    return Q(settled_at__gte=period.start, settled_at__lt=period.end)


def main_first(currencies: Iterable[str]) -> list[str]:
    """Return the currencies, the shop's main one first, whether it occurs or not."""
    main: str = settings.MAIN_CURRENCY
    return [main, *sorted(set(currencies) - {main})]
