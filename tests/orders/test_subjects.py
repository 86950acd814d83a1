import pytest

from scheduling.subjects import describe
from tests.factories import make_customer, make_order

pytestmark = pytest.mark.django_db


def test_order_is_described_by_number_and_customer() -> None:
    order = make_order(customer=make_customer(first_name="Ana", last_name="Trujillo"))
    subject = describe([f"order:{order.pk}"])[f"order:{order.pk}"]
    assert subject.label == f"#{order.number} Ana Trujillo"
    assert subject.url == f"/orders/order/{order.pk}/change/"


def test_order_that_is_gone_is_shown_as_it_is_written() -> None:
    assert describe(["order:7", "order:x"])["order:x"].label == "order:x"
