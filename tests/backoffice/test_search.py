import pytest
from django.test import RequestFactory

from backoffice.search import MOST, search
from orders.models import User
from tests.factories import make_customer, make_order, make_product, make_staff, make_superuser

pytestmark = pytest.mark.django_db


def titles(user: User, term: str) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    return [result.title for result in search(request, term)]


@pytest.mark.parametrize("term", ["#{}", "{}", " {} "])
def test_palette_finds_an_order_by_its_number(term: str) -> None:
    order = make_order("10.00")
    assert titles(make_superuser(), term.format(order.number)) == [f"{order} {order.customer}"]


def test_palette_finds_customers_and_products_by_their_names() -> None:
    make_customer(first_name="Tea", last_name="Tarr")
    make_product(name="Green tea", sku="T-1")
    assert titles(make_superuser(), "tea") == ["Tea Tarr", "Green tea (T-1)"]


def test_palette_finds_nothing_that_may_not_be_seen() -> None:
    make_product(name="Green tea")
    assert titles(make_staff("orders.view_order"), "tea") == []


def test_palette_stops_at_a_few() -> None:
    for _ in range(MOST + 3):
        make_product()
    assert len(titles(make_superuser(), "product")) == MOST
