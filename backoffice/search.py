"""The command palette: finds an order, a customer or a product by the start of what people know."""

from collections.abc import Callable, Iterable, Iterator

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from orders.admin.customers import matches
from orders.models import Customer, Order, Product

MOST = 8
"""Results of a kind: who gets more types another letter."""


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return what the user may see and the term finds, a few of each kind.

    Args:
        term: what was typed, in lower case.
    """
    kinds = (("order", _orders), ("customer", _customers), ("product", _products))
    return [
        result
        for model, find in kinds
        if request.user.has_perm(f"orders.view_{model}")
        for result in find(term.strip())
    ]


def _orders(term: str) -> Iterator[SearchResult]:
    number = term.removeprefix("#")
    if number.isdecimal() and len(number) < 19:
        found = Order.objects.filter(number=int(number)).select_related("customer")
        yield from _results(found, "order", "shopping_bag", lambda order: f"{order} {order.customer}")


def _customers(term: str) -> Iterable[SearchResult]:
    found = Customer.objects.filter(matches(term)).select_related("profile")[:MOST]
    return _results(found, "customer", "person", lambda user: f"{user} {user.profile.company}".strip())


def _products(term: str) -> Iterable[SearchResult]:
    found = Product.objects.active().filter(name__icontains=term)[:MOST]
    return _results(found, "product", "inventory_2", str)


def _results[Row: Model](
    rows: QuerySet[Row], model: str, icon: str, words: Callable[[Row], str]
) -> Iterator[SearchResult]:
    for row in rows:
        address = reverse(f"admin:orders_{model}_change", args=[row.pk])
        yield SearchResult(title=words(row), description=model.capitalize(), link=address, icon=icon)
