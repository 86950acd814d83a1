from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from orders.models import AppendOnlyError, OrderPaymentDetails, Payment
from tests.factories import make_order, pay

pytestmark = pytest.mark.django_db


def test_second_payment_details_of_an_order_are_refused_by_the_database() -> None:
    order = make_order()
    with pytest.raises(IntegrityError):
        OrderPaymentDetails.objects.bulk_create([OrderPaymentDetails(order=order, terms_days=1)])


def test_due_date_follows_the_terms() -> None:
    order = make_order()
    order.payment_details.terms_days = 30
    order.payment_details.save()
    assert order.placed_at
    assert order.payment_details.due_at == order.placed_at + timedelta(days=30)


def test_payment_cannot_be_changed_or_deleted() -> None:
    payment = pay(make_order("10.00"), "10.00")
    payment.amount = Decimal("9.00")
    with pytest.raises(AppendOnlyError, match="add one that corrects it"):
        payment.save()
    with pytest.raises(AppendOnlyError):
        payment.delete()
    with pytest.raises(AppendOnlyError):
        Payment.objects.update(amount=9)
    with pytest.raises(AppendOnlyError):
        Payment.objects.bulk_update([payment], ["amount"])
    with pytest.raises(AppendOnlyError):
        Payment.objects.all().delete()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"kind": "promised"},
        {"method": "barter"},
        {"currency": "XXX"},
        {"reference": ""},
        {"reference": "known"},
        {"kind": "reversed"},
    ],
)
def test_payment_that_must_never_be_is_refused_by_the_database(wrong: dict[str, Any]) -> None:
    order = make_order("10.00")
    Payment.objects.create(order=order, amount=1, reference="known")
    right = {"order": order, "amount": 1, "reference": "new"}
    with pytest.raises(IntegrityError):
        Payment.objects.bulk_create([Payment(**{**right, **wrong})])


def test_payment_is_reversed_once_at_most() -> None:
    payment = pay(make_order("10.00"), "10.00")
    reversal = {"order": payment.order, "amount": 10, "kind": "reversed", "reverses": payment}
    with pytest.raises(IntegrityError):
        Payment.objects.bulk_create([Payment(**reversal, reference=reference) for reference in "ab"])
