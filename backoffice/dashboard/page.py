"""The dashboard's context: what this user may see, each number with the list behind it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from backoffice import badges
from backoffice.dashboard import charts, figures
from backoffice.dashboard.attention import ROWS, failed_runs, orders_in_need
from backoffice.dashboard.period import PRESETS, Period, chosen_period
from backoffice.dashboard.upcoming import runs_next
from backoffice.dashboard.work import work_status
from scheduling.alerting import firing_alerts


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the admin's index; the number of statements does not grow with what is stored."""
    now = timezone.now()
    period = chosen_period(*(request.GET.get(name, "") for name in ("period", "from", "to")))
    context.update(title="Dashboard", period=period, presets=PRESETS, needs=[], charts=[], rows_shown=ROWS)
    if request.user.has_perm("orders.view_order"):
        _add_shop(context, request, period, now)
    if request.user.has_perm("django_celery_results.view_taskresult"):
        _add_work(context, request, now)
    return context


def _add_shop(context: dict[str, Any], request: HttpRequest, period: Period, now: datetime) -> None:
    sales, debts = figures.sales(period), figures.debts(now)
    money = [
        Money.of(currency, sales[currency], debts[currency], period)
        for currency in figures.main_first([*sales, *debts])
    ]
    main = money[0].currency
    context["needs"] += orders_in_need(request, now)
    context["charts"] += [
        charts.revenue_chart(sales[main], period, main),
        charts.debt_chart(debts[main], main),
    ]
    context.update(
        money=money,
        orders=sum(each.orders_in(period) for each in sales.values()),
        orders_before=sum(each.orders_in(period.before) for each in sales.values()),
        overdue_orders=sum(each.debt.orders_overdue for each in money),
        punctuality=figures.punctuality(period),
        placed_address=_orders(placed_at_from=period.first_on, placed_at_to=period.last_on),
        owed_address=_orders(payment="owed"),
        overdue_address=_orders(payment="overdue"),
        settled_address=_orders(
            payment_details__settled_at_from=period.first_on, payment_details__settled_at_to=period.last_on
        ),
    )


def _add_work(context: dict[str, Any], request: HttpRequest, now: datetime) -> None:
    context["needs"] += failed_runs(request, now)
    context["charts"] += [charts.runs_chart(now)]
    context.update(
        work=work_status(now),
        alerts=firing_alerts(now=now) if request.user.has_perm("scheduling.view_alertrule") else (),
        failed=badges.failed(),
        next_runs=runs_next(request),
        failed_address=_runs(state="failed", period="24h"),
        waiting_address=_runs(state="waiting"),
    )


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


def _runs(**filters: Any) -> str:
    return reverse("admin:django_celery_results_taskresult_changelist", query=filters)
