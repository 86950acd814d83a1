"""The dashboard's context: each number with the address of the list behind it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from backoffice.dashboard import figures
from backoffice.dashboard.period import PRESETS, Period, chosen_period


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the admin's index with what this user may see."""
    period = chosen_period(*(request.GET.get(name, "") for name in ("period", "from", "to")))
    context.update(title="Dashboard", period=period, presets=PRESETS)
    if request.user.has_perm("orders.view_order"):
        context.update(_shop(period))
    return context


def _shop(period: Period) -> dict[str, Any]:
    sales, debts = figures.sales(period), figures.debts(timezone.now())
    currencies = figures.main_first([*sales, *debts])
    return {
        "orders": sum(each.orders_in(period) for each in sales.values()),
        "orders_before": sum(each.orders_in(period.before) for each in sales.values()),
        "money": [Money.of(currency, sales[currency], debts[currency], period) for currency in currencies],
        "punctuality": figures.punctuality(period),
        "placed_address": _orders(placed_at_from=period.first_on, placed_at_to=period.last_on),
        "owed_address": _orders(payment="owed"),
        "overdue_address": _orders(payment="overdue"),
    }


@dataclass(frozen=True)
class Money:
    """What came in, is owed and is overdue in one currency: two currencies are never added."""

    currency: str
    revenue: Decimal
    revenue_before: Decimal
    debt: figures.Debt

    @classmethod
    def of(cls, currency: str, sales: figures.Sales, debt: figures.Debt, period: Period) -> "Money":
        """Return the figures of one currency."""
        return cls(currency, sales.revenue_in(period), sales.revenue_in(period.before), debt)


def _orders(**filters: Any) -> str:
    return reverse("admin:orders_order_changelist", query=filters)
