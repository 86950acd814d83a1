"""Orders saved as the desk saves them: through the form, with its lines."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask

from orders.models import Order, OrderLine, OrderPaymentDetails, OrderStatus, Product, User
from tests.factories import make_customer, make_order, make_product, make_staff

pytestmark = pytest.mark.django_db

ADD = "/orders/order/add/"


def entered(customer: User, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return what a browser posts for an order with lines."""
    rows = {
        f"lines-{index}-{name}": value
        for index, line in enumerate(lines)
        for name, value in {
            "product": "",
            "description": "",
            "quantity": 1,
            "unit_price": "",
            "discount": 0,
            **line,
        }.items()
    }
    count = {"lines-TOTAL_FORMS": len(lines), "lines-INITIAL_FORMS": 0}
    return {"customer": customer.pk, "currency": "EUR", "status": "placed", **count, **rows, **fields}


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_staff("orders.add_order", "orders.change_order", "orders.view_order"))
    return client


@pytest.fixture
def customer() -> User:
    return make_customer()


def test_order_with_two_lines_is_saved_with_its_total(desk: Client, customer: User) -> None:
    tea, syrup = make_product("18.00"), make_product("10.00")
    desk.post(
        ADD, entered(customer, {"product": tea.pk, "quantity": 6}, {"product": syrup.pk, "discount": 15})
    )
    assert Order.objects.get().total == Decimal("116.50")


def test_new_order_has_payment_details_for_its_total(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product("18.00").pk, "quantity": 2}))
    assert OrderPaymentDetails.objects.get().amount_due == Decimal("36.00")


def test_new_order_is_followed_up(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product().pk}))
    order = Order.objects.get()
    assert PeriodicTask.objects.filter(name=f"order:{order.pk}/payment-reminder").exists()


def test_new_order_remembers_who_entered_it(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product().pk}))
    assert str(Order.objects.get().created_by) == "desk@shop.example"


def test_order_may_be_kept_a_draft(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product().pk}, status="draft"))
    assert Order.objects.get().status == OrderStatus.DRAFT


def test_order_cannot_be_entered_as_shipped(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product().pk}, status="shipped"))
    assert not Order.objects.exists()


def test_order_without_lines_is_refused(desk: Client, customer: User) -> None:
    response = desk.post(ADD, entered(customer))
    assert "at least 1" in response.content.decode()
    assert not Order.objects.exists()


def test_free_line_without_price_is_refused_beside_the_price(desk: Client, customer: User) -> None:
    response = desk.post(ADD, entered(customer, {"description": "Gift wrapping"}))
    assert "A line without a product needs a price." in response.content.decode()


def test_product_in_another_currency_is_refused(desk: Client, customer: User) -> None:
    product = make_product(currency="USD")
    response = desk.post(ADD, entered(customer, {"product": product.pk}))
    assert "Its price is in USD" in response.content.decode()


def test_staff_cannot_be_ordered_for(desk: Client) -> None:
    colleague = make_staff(email="colleague@shop.example")
    response = desk.post(ADD, entered(colleague, {"product": make_product().pk}))
    assert response.status_code == 200
    assert not Order.objects.exists()


@pytest.fixture
def broken_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(order: Order) -> None:
        raise RuntimeError("the terms are not set")

    monkeypatch.setattr("orders.ordering.add_payment_details", refuse)


@pytest.mark.usefixtures("broken_details")
def test_receiver_that_raises_leaves_no_order(desk: Client, customer: User) -> None:
    desk.post(ADD, entered(customer, {"product": make_product().pk}))
    assert not Order.objects.exists()
    assert not OrderLine.objects.exists()


@pytest.mark.usefixtures("broken_details")
def test_receiver_that_raises_is_told_on_the_form(desk: Client, customer: User) -> None:
    response = desk.post(ADD, entered(customer, {"product": make_product().pk}))
    assert "the terms are not set" in response.content.decode()
    assert "Nothing was stored" in response.content.decode()


@pytest.mark.usefixtures("broken_details")
def test_receiver_that_raises_keeps_what_was_entered(desk: Client, customer: User) -> None:
    response = desk.post(
        ADD, entered(customer, {"description": "Gift wrapping", "unit_price": "4.50"}, note="Ring twice")
    )
    page = response.content.decode()
    assert "Gift wrapping" in page
    assert "Ring twice" in page


def test_changed_line_changes_the_total(desk: Client) -> None:
    order = make_order("10.00")
    line = order.lines.get()
    changed = entered(
        order.customer,
        {"id": line.pk, "order": order.pk, "description": "Tea", "unit_price": "10.00", "quantity": 3},
    )
    desk.post(f"/orders/order/{order.pk}/change/", {**changed, "lines-INITIAL_FORMS": 1})
    order.refresh_from_db()
    assert order.total == Decimal("30.00")


def test_discount_is_shown_in_per_cent(desk: Client) -> None:
    order = make_order()
    OrderLine.objects.create(order=order, description="Tea", unit_price=Decimal(10), discount=Decimal("0.15"))
    page = desk.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert 'name="lines-0-discount" value="15"' in page


def test_customer_lookup_answers_with_customers_only(desk: Client, customer: User) -> None:
    desk.force_login(make_staff("orders.view_customer", email="lookup@shop.example"))
    address = "/orders/customer/lookup/?app_label=orders&model_name=order&field_name=customer&term="
    found = desk.get(address).json()["results"]
    assert [result["id"] for result in found] == [str(customer.pk)]


def test_product_lookup_offers_what_can_be_ordered(desk: Client) -> None:
    make_product(name="Old tea", is_active=False)
    new = make_product(name="New tea")
    desk.force_login(make_staff("orders.view_product", email="lookup@shop.example"))
    address = "/autocomplete/?app_label=orders&model_name=orderline&field_name=product&term=tea"
    found = desk.get(address).json()["results"]
    assert [result["id"] for result in found] == [str(new.pk)]
    assert Product.objects.count() == 2
