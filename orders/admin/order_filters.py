"""The filters of the list of orders, each remembered in the address."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone

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
