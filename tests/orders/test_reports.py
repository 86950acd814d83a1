from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from orders import ordering, payments
from orders.reports import Sales, sales_on
from tests.factories import make_order

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 12)
NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)


def test_sales_are_counted_by_currency() -> None:
    make_order("10.00", placed_at=NOON)
    make_order("5.00", placed_at=NOON)
    make_order("7.00", placed_at=NOON, currency="USD")
    assert sales_on(DAY) == [Sales("EUR", 2, Decimal(15)), Sales("USD", 1, Decimal(7))]


def test_sales_count_money_on_the_day_it_moved() -> None:
    order = make_order("10.00", placed_at=datetime(2026, 11, 1, tzinfo=UTC))
    payments.receive(order, amount=Decimal(10), reference="R", received_at=NOON)
    assert sales_on(DAY) == [Sales("EUR", received=Decimal(10))]


def test_sales_do_not_count_what_was_cancelled() -> None:
    ordering.cancel(make_order("10.00", placed_at=NOON), because="a mistake")
    assert sales_on(DAY) == []


@override_settings(TIME_ZONE="Europe/Berlin")
def test_day_begins_at_midnight_of_the_shop() -> None:
    make_order("10.00", placed_at=datetime(2026, 11, 11, 23, tzinfo=UTC))
    make_order("5.00", placed_at=datetime(2026, 11, 12, 23, tzinfo=UTC))
    assert sales_on(DAY) == [Sales("EUR", 1, Decimal(10))]


def test_sales_are_read_in_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(2):
        sales_on(DAY)
