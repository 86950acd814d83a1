from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from orders import accounts, ordering, payments
from orders.models import Order, OrderStatus, Payment, PaymentMethod
from tests.factories import make_order, pay

pytestmark = pytest.mark.django_db


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


def test_payment_in_full_makes_the_order_paid() -> None:
    order = make_order("10.00")
    pay(order, "4.00")
    assert status_of(order) == OrderStatus.PLACED
    pay(order, "6.00")
    assert status_of(order) == OrderStatus.PAID


def test_settled_at_is_when_the_covering_payment_came() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    order = make_order("10.00")
    payments.receive(order, amount=Decimal(10), reference="R", received_at=yesterday)
    pay(order, "1.00")
    order.payment_details.refresh_from_db()
    assert order.payment_details.settled_at == yesterday


def test_payment_with_a_known_reference_is_refused() -> None:
    order = make_order("10.00")
    payments.receive(order, amount=Decimal(4), reference="R")
    with pytest.raises(ValidationError, match="already entered"):
        payments.receive(order, amount=Decimal(4), reference="R")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_payment_of_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        pay(make_order("10.00"), amount)


def test_payment_for_a_draft_is_refused() -> None:
    with pytest.raises(ValidationError, match="place the order first"):
        pay(make_order("10.00", status=OrderStatus.DRAFT), "10.00")


def test_payment_is_in_the_currency_of_its_order() -> None:
    assert pay(make_order("10.00", currency="USD"), "10.00").currency == "USD"


def test_refund_of_a_part_leaves_the_order_as_it_is() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    payments.refund(order, amount=Decimal(3), reference="back")
    assert status_of(order) == OrderStatus.PAID


def test_refund_of_all_refunds_the_order() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    ordering.ship(order)
    payments.refund(order, amount=Decimal(10), reference="back")
    assert status_of(order) == OrderStatus.REFUNDED


def test_refund_for_a_cancelled_order_leaves_it_cancelled() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    ordering.cancel(order, because="sold out")
    payments.refund(order, amount=Decimal(10), reference="back")
    assert status_of(order) == OrderStatus.CANCELLED


def test_refund_of_more_than_is_held_is_refused() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    with pytest.raises(ValidationError, match=r"Only 10\.00 EUR"):
        payments.refund(order, amount=Decimal("10.01"), reference="back")


def test_refund_of_a_part_payment_is_refused_while_the_rest_is_awaited() -> None:
    order = make_order("10.00")
    pay(order, "4.00")
    with pytest.raises(ValidationError, match="is not paid yet"):
        payments.refund(order, amount=Decimal(4), reference="back")


def test_reversal_makes_the_order_wait_for_its_payment_again() -> None:
    order = make_order("10.00")
    payments.reverse(pay(order, "10.00"))
    assert status_of(order) == OrderStatus.PLACED
    assert order.owed == Decimal(10)
    assert list(Order.objects.owed()) == [order]


def test_reversal_after_shipping_leaves_it_shipped_and_owed() -> None:
    order = make_order("10.00")
    payment = pay(order, "10.00")
    ordering.ship(order)
    payments.reverse(payment)
    assert status_of(order) == OrderStatus.SHIPPED
    assert list(Order.objects.owed()) == [order]


def test_reversal_happens_once() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    payment = pay(order, "5.00")
    payments.reverse(payment)
    with pytest.raises(ValidationError):
        payments.reverse(payment)
    assert Payment.objects.count() == 3


def test_reversal_of_a_refund_is_refused() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    refund = payments.refund(order, amount=Decimal(3), reference="back")
    with pytest.raises(ValidationError, match="Only a payment received"):
        payments.reverse(refund)


def test_reversal_of_what_was_given_back_is_refused() -> None:
    order = make_order("10.00")
    payment = pay(order, "10.00")
    payments.refund(order, amount=Decimal(3), reference="back")
    with pytest.raises(ValidationError, match="given back"):
        payments.reverse(payment)


def test_payment_from_the_account_is_taken_off_it() -> None:
    order = make_order("10.00")
    account = order.customer.account
    accounts.move(account, amount=Decimal(25), words="goodwill")
    payment = pay(order, "10.00", method=PaymentMethod.ACCOUNT)
    account.refresh_from_db()
    assert account.balance == Decimal(15)
    assert payment.account_entry.amount == Decimal(-10)


def test_payment_from_an_account_that_holds_too_little_leaves_nothing_behind() -> None:
    order = make_order("10.00")
    with pytest.raises(ValidationError, match=r"holds 0\.00 EUR only"):
        pay(order, "10.00", method=PaymentMethod.ACCOUNT)
    assert not Payment.objects.exists()
    assert status_of(order) == OrderStatus.PLACED


def test_payment_from_an_account_in_another_currency_is_refused() -> None:
    with pytest.raises(ValidationError, match="The account is in EUR"):
        pay(make_order("10.00", currency="USD"), "10.00", method=PaymentMethod.ACCOUNT)


def test_refund_to_the_account_is_added_to_it() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    payments.refund(order, amount=Decimal(3), reference="back", method=PaymentMethod.ACCOUNT)
    order.customer.account.refresh_from_db()
    assert order.customer.account.balance == Decimal(3)
