from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from orders import ordering, payments
from orders.models import Order, OrderStatus, PaymentState
from tests.factories import make_customer, make_order, pay

pytestmark = pytest.mark.django_db


def test_order_number_is_its_own_and_for_humans() -> None:
    first, second = make_order(), make_order()
    assert second.number == first.number + 1 > 1000
    assert str(first) == f"#{first.number}"
    assert Order.objects.get(number=second.number) == second


def test_order_placed_without_a_time_is_placed_now() -> None:
    before = timezone.now()
    assert before <= (make_order().placed_at or before - timedelta(1)) <= timezone.now()


def test_draft_is_not_placed() -> None:
    assert make_order(status=OrderStatus.DRAFT).placed_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"},
        {"currency": "XXX"},
        {"total": -1},
        {"placed_at": None},
        {"status": "shipped", "shipped_at": None},
    ],
)
def test_order_that_must_never_be_is_refused_by_the_database(wrong: dict[str, Any]) -> None:
    order = make_order()
    with pytest.raises(IntegrityError):
        Order.objects.filter(pk=order.pk).update(**wrong)


def test_order_reference_is_unique_where_there_is_one() -> None:
    make_order(), make_order()
    make_order(reference="northwind 10248")
    with pytest.raises(IntegrityError):
        make_order(reference="northwind 10248")


def test_customer_with_orders_cannot_be_deleted() -> None:
    with pytest.raises(ProtectedError):
        make_order().customer.delete()


def state_of(order: Order) -> tuple[str, str, str]:
    order.refresh_from_db()
    return order.payment_state, str(order.held), str(order.owed)


def test_state_follows_the_payments() -> None:
    order = make_order("100.00")
    assert state_of(order) == (PaymentState.UNPAID, "0.00", "100.00")
    pay(order, "60.00")
    assert state_of(order) == (PaymentState.PARTLY_PAID, "60.00", "40.00")
    pay(order, "40.00")
    assert state_of(order) == (PaymentState.PAID, "100.00", "0.00")
    pay(order, "1.00")
    assert state_of(order) == (PaymentState.OVERPAID, "101.00", "0.00")
    payments.refund(order, amount=Decimal("31.00"), reference="back")
    assert state_of(order) == (PaymentState.PARTLY_REFUNDED, "70.00", "0.00")
    payments.refund(order, amount=Decimal("70.00"), reference="all back")
    assert state_of(order) == (PaymentState.REFUNDED, "0.00", "0.00")


def test_state_is_exact_where_floating_point_is_not() -> None:
    order = make_order("0.80")
    pay(order, "0.70")
    pay(order, "0.10")
    assert state_of(order)[0] == PaymentState.PAID
    assert not Order.objects.owed().exists()


def test_nothing_is_due_for_a_draft_and_for_a_cancelled_order() -> None:
    assert state_of(make_order("5.00", status=OrderStatus.DRAFT)) == (
        PaymentState.NOTHING_DUE,
        "0.00",
        "0.00",
    )
    cancelled = ordering.cancel(make_order("5.00"), because="a mistake")
    assert state_of(cancelled) == (PaymentState.NOTHING_DUE, "0.00", "0.00")


def test_money_held_for_a_cancelled_order_is_overpaid() -> None:
    order = make_order("5.00")
    pay(order, "5.00")
    ordering.cancel(order, because="sold out")
    assert state_of(order)[0] == PaymentState.OVERPAID


def test_owed_are_those_with_something_to_pay() -> None:
    unpaid, partly = make_order("10.00"), make_order("10.00")
    pay(partly, "9.99")
    pay(make_order("10.00"), "10.00")
    make_order("10.00", status=OrderStatus.DRAFT)
    ordering.cancel(make_order("10.00"), because="a mistake")
    make_order()
    assert set(Order.objects.owed()) == {unpaid, partly}


def test_overdue_are_those_owed_beyond_their_due_date() -> None:
    now = timezone.now()
    late = make_order("10.00", placed_at=now - timedelta(days=8))
    make_order("10.00", placed_at=now - timedelta(days=6))
    pay(make_order("10.00", placed_at=now - timedelta(days=8)), "10.00")
    assert list(Order.objects.overdue(now)) == [late]
    assert late.is_overdue(now)


def test_states_of_many_orders_are_read_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    customer = make_customer()
    for _ in range(3):
        pay(make_order("10.00", customer=customer), "4.00")
    with django_assert_num_queries(1):
        states = [order.payment_state for order in Order.objects.with_payments()]
    assert states == [PaymentState.PARTLY_PAID] * 3


def test_lines_can_be_changed_until_something_is_paid() -> None:
    order = make_order("10.00")
    assert order.may_change_lines
    pay(order, "1.00")
    assert not order.may_change_lines
