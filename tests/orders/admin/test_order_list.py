"""The list of orders: found by what people know, counted by nobody."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from orders import accounts
from orders.follow_ups import FollowUp
from orders.models import Order, Profile, User
from scheduling.due import claim_due
from tests.factories import make_customer, make_order, make_staff, pay

pytestmark = pytest.mark.django_db

LIST = "/orders/order/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_staff("orders.view_order", "orders.view_customer"))
    return client


@pytest.fixture
def ana() -> User:
    customer = make_customer("ana@antares.example", first_name="Ana", last_name="Trujillo")
    Profile.objects.filter(user=customer).update(company="Antares Grocers")
    return customer


def found(desk: Client, **query: str) -> list[Order]:
    return list(desk.get(LIST, query).context["cl"].result_list)


@pytest.mark.parametrize("words", ["ana@ant", "ANA@ANTARES.example", "truji", "antares g", "ana"])
def test_search_finds_orders_by_their_customer(desk: Client, ana: User, words: str) -> None:
    order = make_order("10.00", customer=ana)
    make_order("10.00")
    assert found(desk, q=words) == [order]


@pytest.mark.parametrize("words", ["{}", "#{}"])
def test_search_finds_an_order_by_its_number(desk: Client, words: str) -> None:
    make_order("10.00")
    order = make_order("10.00")
    assert found(desk, q=words.format(order.number)) == [order]


@pytest.mark.parametrize("words", ["99999999999999999999999", "²"])
def test_search_for_what_is_no_number_finds_nothing(desk: Client, words: str) -> None:
    make_order("10.00")
    assert found(desk, q=words) == []


def test_customers_page_links_to_their_orders(desk: Client, ana: User) -> None:
    order = make_order("10.00", customer=ana)
    make_order("10.00")
    assert (
        f"{LIST}?customer__id__exact={ana.pk}"
        in desk.get(f"/orders/customer/{ana.pk}/change/").content.decode()
    )
    assert found(desk, customer__id__exact=str(ana.pk)) == [order]


def test_days_include_the_last_one(desk: Client) -> None:
    order = make_order("10.00")
    assert order.placed_at
    day = order.placed_at.date().isoformat()
    assert found(desk, placed_at_from=day, placed_at_to=day) == [order]


def test_partly_paid_orders_can_be_asked_for(desk: Client) -> None:
    order = make_order("10.00")
    pay(order, "4.00")
    make_order("10.00")
    assert found(desk, payment="partly_paid") == [order]


def test_list_asks_the_database_as_often_for_many_orders_and_counts_none(desk: Client) -> None:
    make_order("10.00")
    desk.get(LIST)
    with CaptureQueriesContext(connection) as few:
        desk.get(LIST)
    for _ in range(10):
        pay(make_order("10.00"), "3.00")
    with CaptureQueriesContext(connection) as many:
        desk.get(LIST)
    assert len(many) == len(few)
    assert "COUNT(" not in str(many.captured_queries)


def test_list_tells_what_happens_next_by_itself(desk: Client) -> None:
    order, settled = make_order("10.00"), make_order("10.00")
    PeriodicTask.objects.filter(name=FollowUp.CONFIRMATION.key(order)).delete()
    PeriodicTask.objects.filter(name__startswith=f"order:{settled.pk}/").delete()
    steps = {row.pk: vars(row)["next_step"] for row in found(desk)}
    assert steps[order.pk].words == "Payment reminder"
    assert steps[settled.pk] is None
    assert "Payment reminder <small" in desk.get(LIST).content.decode()


def test_list_tells_of_work_that_is_due_already(desk: Client) -> None:
    order = make_order("10.00")
    claim_due(now=timezone.now(), lease=timedelta(seconds=30))
    [row] = found(desk)
    step = vars(row)["next_step"]
    assert (step.order_id, step.words, step.is_due) == (order.pk, "Order confirmation", True)


def test_page_of_an_order_asks_the_database_as_often_for_a_long_story(desk: Client) -> None:
    order = make_order("100.00")
    pay(order, "1.00")
    address = f"{LIST}{order.pk}/change/"
    desk.get(address)
    with CaptureQueriesContext(connection) as few:
        desk.get(address)
    for _ in range(10):
        pay(order, "1.00")
    with CaptureQueriesContext(connection) as many:
        desk.get(address)
    assert len(many) == len(few)


def test_orders_cannot_be_deleted(desk: Client) -> None:
    order = make_order("10.00")
    desk.force_login(make_staff("orders.view_order", "orders.delete_order", email="eager@shop.example"))
    assert desk.post(f"{LIST}{order.pk}/delete/", {"post": "yes"}).status_code == 403


def test_customers_page_shows_the_movements_of_their_account(desk: Client, ana: User) -> None:
    accounts.move(ana.account, amount=Decimal("12.50"), words="goodwill")
    page = desk.get(f"/orders/customer/{ana.pk}/change/").content.decode()
    assert "goodwill" in page
