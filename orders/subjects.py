"""How the screens of scheduled work speak of orders."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from orders.models import Order
from scheduling.subjects import Subject


def describe_orders(ids: Collection[str]) -> Mapping[str, Subject]:
    """Return number, customer and page of each order that exists, in one query.

    Args:
        ids: primary keys, as keys of delayed tasks write them.
    """
    known = Order.objects.filter(pk__in=[id_ for id_ in ids if id_.isdecimal()]).select_related("customer")
    return {
        str(order.pk): Subject(
            f"{order} {order.customer}", reverse("admin:orders_order_change", args=[order.pk])
        )
        for order in known
    }
