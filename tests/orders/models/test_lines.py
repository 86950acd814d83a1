from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from orders.models import OrderLine
from tests.factories import make_line, make_order, make_product

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("quantity", "unit_price", "discount", "total"),
    [
        (3, "18.00", "0", "54.00"),
        (1, "0.10", "0.05", "0.10"),  # 0.095
        (1, "2.50", "0.33", "1.68"),  # 1.675: half a cent up, where floating point would go down
        (7, "9.99", "0.15", "59.44"),  # 59.4405
        (1, "5.00", "1", "0.00"),
    ],
)
def test_line_total_is_rounded_half_up_to_the_cent(
    quantity: int, unit_price: str, discount: str, total: str
) -> None:
    line = make_line(make_order(), unit_price, quantity=quantity, discount=Decimal(discount))
    line.refresh_from_db()
    assert line.total == Decimal(total)


def test_line_takes_name_and_price_of_its_product() -> None:
    line = OrderLine(order=make_order(), product=make_product("18.00", name="Chai"))
    line.full_clean(exclude=["total"])
    line.save()
    assert (line.description, line.unit_price) == ("Chai", Decimal("18.00"))


def test_line_keeps_the_name_and_price_it_was_sold_at() -> None:
    product = make_product("18.00", name="Chai")
    line = OrderLine.objects.create(order=make_order(), product=product)
    product.name, product.price = "Chai, new recipe", Decimal("20.00")
    product.save()
    line.save()
    line.refresh_from_db()
    assert (line.description, line.total) == ("Chai", Decimal("18.00"))


def test_line_may_cost_nothing_although_its_product_does() -> None:
    line = make_line(make_order(), "0.00", product=make_product("18.00"))
    assert line.total == 0


def test_line_without_product_needs_words_and_price() -> None:
    with pytest.raises(ValidationError, match="say what is sold"):
        OrderLine(order=make_order(), unit_price=Decimal(1)).full_clean()
    with pytest.raises(ValidationError, match="needs a price"):
        OrderLine(order=make_order(), description="Engraving").full_clean()


def test_line_in_another_currency_than_its_order_is_refused() -> None:
    line = OrderLine(order=make_order(currency="EUR"), product=make_product(currency="USD"))
    with pytest.raises(ValidationError, match="Its price is in USD"):
        line.full_clean()


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"unit_price": "-0.01"},
        {"discount": "1.01"},
        {"discount": "-0.01"},
        {"description": ""},
    ],
)
def test_line_that_must_never_be_is_refused_by_the_database(wrong: dict[str, Any]) -> None:
    right = {
        "description": "Something",
        "quantity": 1,
        "unit_price": "1.00",
        "discount": "0",
        "total": "1.00",
    }
    with pytest.raises(IntegrityError):
        OrderLine.objects.bulk_create([OrderLine(order=make_order(), **{**right, **wrong})])


@pytest.mark.parametrize(("discount", "percent"), [("0.15", "15"), ("0.125", "12.5"), ("1", "100")])
def test_discount_is_said_in_percent(discount: str, percent: str) -> None:
    assert str(OrderLine(discount=Decimal(discount)).discount_percent) == percent
