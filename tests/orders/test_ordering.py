from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from orders import ordering
from orders.models import EventKind, Order, OrderEvent, OrderStatus
from tests.factories import make_line, make_order, make_staff, pay

pytestmark = pytest.mark.django_db


def test_placing_a_draft_starts_its_terms() -> None:
    draft = make_order("10.00", status=OrderStatus.DRAFT)
    order = ordering.place(draft)
    order.refresh_from_db()
    assert order.status == OrderStatus.PLACED
    assert order.placed_at
    assert order.payment_details.due_at
    assert order.owed == Decimal("10.00")


def test_placing_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="is placed: it cannot be placed now"):
        ordering.place(make_order("10.00"))


def test_placing_a_draft_without_lines_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one line"):
        ordering.place(make_order(status=OrderStatus.DRAFT))


def test_shipping_needs_payment() -> None:
    order = make_order("10.00")
    with pytest.raises(ValidationError, match="still to be paid"):
        ordering.ship(order)
    pay(order, "10.00")
    assert ordering.ship(order).status == OrderStatus.SHIPPED
    assert Order.objects.get().shipped_at


def test_shipping_an_order_that_costs_nothing_needs_no_payment() -> None:
    assert ordering.ship(make_order("0.00")).status == OrderStatus.SHIPPED


def test_completing_needs_shipping() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    with pytest.raises(ValidationError, match="cannot be completed now"):
        ordering.complete(order)
    ordering.ship(order)
    assert ordering.complete(order).status == OrderStatus.COMPLETED


def test_cancelling_what_has_left_the_house_is_refused() -> None:
    order = make_order("0.00")
    ordering.ship(order)
    with pytest.raises(ValidationError, match="is shipped: it cannot be cancelled now"):
        ordering.cancel(order, because="a mistake")


def test_verbs_write_into_the_timeline_who_did_it() -> None:
    desk = make_staff()
    order = make_order("0.00")
    ordering.ship(order, by=desk)
    event = OrderEvent.objects.get(kind=EventKind.SHIPPED)
    assert (event.order, event.actor, event.words) == (order, desk, "shipped")


def test_verb_looks_at_the_stored_status_and_not_at_a_stale_one() -> None:
    stale = make_order("10.00")
    ordering.cancel(Order.objects.get(), because="a mistake")
    with pytest.raises(ValidationError, match="is cancelled"):
        ordering.cancel(stale, because="a mistake")


def test_total_is_the_sum_of_rounded_lines() -> None:
    order = make_order()
    for _ in range(3):
        make_line(order, "0.10", discount=Decimal("0.05"))
    order.refresh_from_db()
    assert order.total == order.payment_details.amount_due == Decimal("0.30")


def test_details_built_for_bulk_are_the_same_as_those_a_receiver_adds() -> None:
    order = make_order("10.00", placed_at=timezone.now())
    built, stored = ordering.build_payment_details(order), order.payment_details
    assert (built.terms_days, built.due_at, built.amount_due, built.method) == (
        stored.terms_days,
        stored.due_at,
        stored.amount_due,
        stored.method,
    )
