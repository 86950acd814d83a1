"""What the desk does to an order: each deed by who may, by dialog, never on GET."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders import ordering
from orders.admin.order_deeds import deeds_possible
from orders.models import Order, OrderStatus, Payment, User
from tests.factories import make_order, make_staff, make_superuser, pay

pytestmark = pytest.mark.django_db

SENT = {"_form_submitted": "True"}
MONEY = {"amount": "10.00", "reference": "BANK-7", "method": "transfer"}


def draft() -> Order:
    return make_order("10.00", status=OrderStatus.DRAFT)


def placed() -> Order:
    return make_order("10.00")


def paid() -> Order:
    order = make_order("10.00")
    pay(order, "10.00")
    order.refresh_from_db()
    return order


def shipped() -> Order:
    return ordering.ship(paid())


@dataclass(frozen=True)
class Deed:
    name: str
    permission: str
    before: Callable[[], Order]
    after: str
    posted: dict[str, str] = field(default_factory=dict)


DEEDS = (
    Deed("place", "orders.change_order", draft, "placed"),
    Deed("receive", "orders.add_payment", placed, "paid", {**MONEY, "received_at": "2026-01-02T10:00"}),
    Deed("remind", "orders.plan_order", placed, "placed"),
    Deed("ship", "orders.ship_order", paid, "shipped"),
    Deed("complete", "orders.ship_order", shipped, "completed"),
    Deed("cancel", "orders.cancel_order", placed, "cancelled", {"because": "they asked to"}),
    Deed("refund", "orders.refund_order", paid, "refunded", MONEY),
    Deed("reverse", "orders.refund_order", paid, "placed", {"note": "wrong order"}),
)

each_deed = pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
each_method = pytest.mark.parametrize("method", ["get", "post"])


def address(order: Order, deed: Deed) -> str:
    return f"/orders/order/{order.pk}/{deed.name}/"


def posted(order: Order, deed: Deed) -> dict[str, str]:
    entry = Payment.objects.filter(order=order).first()
    return {**SENT, **deed.posted, **({"payment": str(entry.pk)} if entry and deed.name == "reverse" else {})}


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


@each_deed
@each_method
def test_deed_sends_who_is_not_logged_in_to_the_login(client: Client, deed: Deed, method: str) -> None:
    order = deed.before()
    response = getattr(client, method)(address(order, deed), posted(order, deed))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")
    assert status(order) == order.status


@each_deed
@each_method
def test_deed_is_refused_to_who_may_only_look(client: Client, deed: Deed, method: str) -> None:
    order = deed.before()
    client.force_login(make_staff("orders.view_order"))
    assert getattr(client, method)(address(order, deed), posted(order, deed)).status_code == 403
    assert status(order) == order.status


def who_may(role: str, deed: Deed) -> User:
    return make_superuser() if role == "superuser" else make_staff("orders.view_order", deed.permission)


each_role = pytest.mark.parametrize("role", ["holder", "superuser"])


@each_deed
@each_role
def test_deed_asks_first_and_changes_nothing(client: Client, deed: Deed, role: str) -> None:
    order = deed.before()
    client.force_login(who_may(role, deed))
    response = client.get(address(order, deed))
    assert response.status_code == 200
    assert 'method="post"' in response.content.decode()
    assert status(order) == order.status


@each_deed
@each_role
def test_deed_is_done_when_answered(client: Client, deed: Deed, role: str) -> None:
    order = deed.before()
    client.force_login(who_may(role, deed))
    response = client.post(address(order, deed), posted(order, deed))
    assert (response.status_code, response["Location"]) == (302, f"/orders/order/{order.pk}/change/")
    assert status(order) == deed.after


@each_deed
def test_deed_leaves_a_trace_in_the_history(client: Client, deed: Deed) -> None:
    order = deed.before()
    client.force_login(make_superuser())
    client.post(address(order, deed), posted(order, deed))
    assert LogEntry.objects.get(object_id=str(order.pk)).user.email == "root@shop.example"


@each_deed
def test_button_of_a_deed_is_shown_to_who_may(client: Client, deed: Deed) -> None:
    order = deed.before()
    client.force_login(make_staff("orders.view_order", deed.permission))
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert address(order, deed) in page


def test_no_button_is_shown_to_who_may_only_look(client: Client) -> None:
    order = paid()
    client.force_login(make_staff("orders.view_order"))
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert not [deed.name for deed in DEEDS if address(order, deed) in page]


@pytest.mark.parametrize(
    ("before", "possible"),
    [
        (draft, {"place", "cancel"}),
        (placed, {"receive", "remind", "cancel"}),
        (paid, {"ship", "cancel", "refund", "reverse"}),
        (shipped, {"complete", "refund", "reverse"}),
    ],
)
def test_state_of_an_order_decides_what_is_offered(before: Callable[[], Order], possible: set[str]) -> None:
    assert deeds_possible(before()) == possible


def test_refused_deed_says_why_in_its_dialog(client: Client) -> None:
    order = placed()
    client.force_login(make_superuser())
    response = client.post(f"/orders/order/{order.pk}/ship/", SENT)
    assert "still to be paid" in response.content.decode()
    assert status(order) == OrderStatus.PLACED


def test_payment_with_a_known_reference_is_refused_in_its_dialog(client: Client) -> None:
    order = placed()
    known = pay(placed(), "10.00")
    client.force_login(make_superuser())
    receive = DEEDS[1]
    response = client.post(address(order, receive), {**posted(order, receive), "reference": known.reference})
    assert "already entered" in response.content.decode()
    assert not order.payments.exists()


def test_payment_dialog_starts_with_all_that_is_owed(client: Client) -> None:
    order = placed()
    pay(order, "4.00")
    client.force_login(make_superuser())
    page = client.get(f"/orders/order/{order.pk}/receive/").content.decode()
    assert 'value="6.00"' in page


def test_payment_is_recorded_with_who_recorded_it(client: Client) -> None:
    order = placed()
    client.force_login(make_superuser())
    client.post(address(order, DEEDS[1]), posted(order, DEEDS[1]))
    payment = Payment.objects.get()
    assert (payment.amount, str(payment.recorded_by)) == (Decimal("10.00"), "root@shop.example")


def test_deed_to_an_order_that_is_gone_is_not_found(client: Client) -> None:
    client.force_login(make_superuser())
    assert client.get("/orders/order/404/ship/").status_code == 404
