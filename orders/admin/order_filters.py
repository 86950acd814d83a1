"""The filters of the list of orders, each remembered in the address."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

from orders.models.orders import OrderQuerySet

OPEN: dict[str, tuple[str, Callable[[OrderQuerySet], OrderQuerySet]]] = {
    "owed": ("still owed", lambda orders: orders.owed()),
    "overdue": ("overdue", lambda orders: orders.overdue(timezone.now())),
    "not_yet_due": (
        "owed, not yet due",
        lambda orders: orders.owed().filter(payment_details__due_at__gte=timezone.now()),
    ),
    "partly_paid": ("partly paid", lambda orders: orders.owed().filter(Q(paid__gt=0))),
    "settled": ("paid", lambda orders: orders.filter(payment_details__settled_at__isnull=False)),
    "settled_late": (
        "paid late",
        lambda orders: orders.filter(payment_details__settled_at__gt=F("payment_details__due_at")),
    ),
}


class PaymentFilter(SimpleListFilter):
    """How the order stands with its customer's money."""

    title = "payment"
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer each state a person looks for."""
        return [(value, words) for value, (words, _) in OPEN.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list to the chosen state."""
        chosen = OPEN.get(self.value() or "")
        return chosen[1](queryset) if chosen else queryset


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, on the clock of this site.

    The theme's own takes the last day's midnight, so that the day itself falls out.
    """

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list to the chosen days."""
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last:
            after = _midnight(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field_path}__lt": after})
        return queryset

    def _day(self, end: str) -> date | None:
        day: date | None = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
        return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
