"""What becomes of an order in the demo shop."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from orders.demo.catalogue import stock_catalogue
from orders.demo.customers import settle_customers
from orders.demo.histories import Historian
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def test_same_moment_and_seed_make_the_same_histories() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    customers, products, desk = settle_customers(Random(1), now), stock_catalogue(), make_staff()

    def told() -> list[tuple[object, ...]]:
        historian = Historian(Random(1), now=now, customers=customers, products=products, desk=desk)
        histories = [historian.tell(now - timedelta(days=days)) for days in range(30)]
        return [
            (one.order.customer, one.order.total, one.order.status, one.waited_until) for one in histories
        ]

    assert told() == told()
