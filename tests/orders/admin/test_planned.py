"""What happens next for an order, and what the desk may do about it."""

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from orders.admin.steps import steps_of
from orders.models import Order, OrderEvent, OrderStatus
from tests.factories import make_order, make_staff, make_superuser, pay

pytestmark = pytest.mark.django_db

ANSWERS = {
    "postpone": {"to": "2030-01-02T09:30"},
    "do-now": {},
    "call-off": {"because": "they asked for more time"},
}
SENT = {"_form_submitted": "True"}


@pytest.fixture
def order() -> Order:
    return make_order("10.00")


def address(order: Order, change: str, kind: str = "payment-reminder") -> str:
    return f"/orders/order/{order.pk}/planned/{kind}/{change}/"


def reminder(order: Order) -> PeriodicTask | None:
    return (
        PeriodicTask.objects.select_related("clocked")
        .filter(name=f"order:{order.pk}/payment-reminder")
        .first()
    )


def test_steps_are_listed_next_first(order: Order) -> None:
    assert [step.kind for step in steps_of(order)] == ["confirmation", "payment-reminder", "cancel-unpaid"]


@pytest.mark.parametrize("change", ANSWERS)
def test_dialog_names_the_step_and_its_order(client: Client, order: Order, change: str) -> None:
    client.force_login(make_superuser())
    page = client.get(address(order, change)).content.decode()
    assert f"Payment reminder for {order} {order.customer}" in page


def test_paid_order_is_neither_reminded_nor_cancelled(order: Order) -> None:
    pay(order, "10.00")
    assert [step.kind for step in steps_of(order)] == ["confirmation"]


@pytest.mark.parametrize("change", ANSWERS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_change_is_refused_to_who_may_only_look(
    client: Client, order: Order, change: str, method: str
) -> None:
    client.force_login(make_staff("orders.view_order"))
    response = getattr(client, method)(address(order, change), {**SENT, **ANSWERS[change]})
    assert response.status_code == 403


@pytest.mark.parametrize("change", ANSWERS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_change_sends_who_is_not_logged_in_to_the_login(
    client: Client, order: Order, change: str, method: str
) -> None:
    response = getattr(client, method)(address(order, change), {**SENT, **ANSWERS[change]})
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("change", ANSWERS)
def test_change_asks_first_and_changes_nothing(client: Client, order: Order, change: str) -> None:
    before = reminder(order)
    client.force_login(make_staff("orders.view_order", "orders.plan_order"))
    assert client.get(address(order, change)).status_code == 200
    assert before
    assert reminder(order) == before


@pytest.mark.parametrize("change", ANSWERS)
def test_change_is_written_into_the_timeline(client: Client, order: Order, change: str) -> None:
    client.force_login(make_superuser())
    client.post(address(order, change), {**SENT, **ANSWERS[change]})
    event = OrderEvent.objects.filter(order=order, actor__isnull=False).latest("id")
    assert event.words.startswith("payment reminder ")


def test_postponed_step_has_its_new_time(client: Client, order: Order) -> None:
    client.force_login(make_superuser())
    client.post(address(order, "postpone"), {**SENT, **ANSWERS["postpone"]})
    row = reminder(order)
    assert row
    assert row.clocked.clocked_time.isoformat() == "2030-01-02T09:30:00+00:00"


def test_step_to_be_done_now_is_due(client: Client, order: Order) -> None:
    client.force_login(make_superuser())
    client.post(address(order, "do-now"), SENT)
    row = reminder(order)
    assert row
    assert row.clocked.clocked_time <= timezone.now()


def test_step_that_is_called_off_no_longer_waits(client: Client, order: Order) -> None:
    client.force_login(make_superuser())
    client.post(address(order, "call-off"), {**SENT, **ANSWERS["call-off"]})
    assert reminder(order) is None


@pytest.mark.parametrize("change", ANSWERS)
def test_change_of_a_step_that_waits_no_longer_is_refused_in_words(
    client: Client, order: Order, change: str
) -> None:
    pay(order, "10.00")
    client.force_login(make_superuser())
    page = client.post(address(order, change), {**SENT, **ANSWERS[change]}).content.decode()
    assert "no longer waits" in page or "could not be called off" in page


def test_page_offers_the_changes_to_who_may(client: Client, order: Order) -> None:
    client.force_login(make_staff("orders.view_order", "orders.plan_order"))
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert all(address(order, change) in page for change in ANSWERS)


def test_page_offers_no_change_to_who_may_only_look(client: Client, order: Order) -> None:
    client.force_login(make_staff("orders.view_order"))
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert not any(address(order, change) in page for change in ANSWERS)


def test_step_planned_by_hand_stands_on_the_page_of_its_order_and_can_be_called_off(
    client: Client, order: Order
) -> None:
    client.force_login(make_superuser())
    typed = {
        "name": "Ask Ana / once more",
        "description": "she asked for it",
        "task": "orders.tasks.send_payment_reminder",
        "argument-order_id": str(order.pk),
        "kind": "once",
        "at": "2030-07-01T09:00",
        "zone": "UTC",
        "overlap": "skip",
        "spread_seconds": "0",
    }
    client.post("/scheduling/recurringtask/add/", typed)
    step = steps_of(order)[-1]
    assert (step.words, step.reason) == ("Payment reminder", "Ask Ana / once more: she asked for it")
    assert f"{order} {order.customer}" in client.get("/scheduling/delayedtask/").content.decode()
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    path = f"/orders/order/{order.pk}/planned/Ask%20Ana%20/%20once%20more/call-off/"
    assert path in page
    client.post(path, {**SENT, **ANSWERS["call-off"]})
    assert len(steps_of(order)) == 3
    said = OrderEvent.objects.filter(order=order).latest("id").words
    assert said == "Ask Ana / once more called off: they asked for more time"
    assert "could not be called off" in client.post(path, {**SENT, **ANSWERS["call-off"]}).content.decode()


def test_step_of_another_order_with_a_longer_number_is_not_shown(order: Order) -> None:
    PeriodicTask.objects.filter(name=f"order:{order.pk}/confirmation").update(
        name=f"order:{order.pk}1/confirmation"
    )
    assert [step.kind for step in steps_of(order)] == ["payment-reminder", "cancel-unpaid"]


def test_draft_waits_for_somebody(client: Client) -> None:
    order = make_order("10.00", status=OrderStatus.DRAFT)
    client.force_login(make_staff("orders.view_order"))
    page = client.get(f"/orders/order/{order.pk}/change/").content.decode()
    assert "Nothing, until it is placed." in page


@pytest.mark.parametrize("path", ["planned/payment-reminder/burn/", "planned/dinner/postpone/"])
def test_unknown_step_or_change_is_not_found(client: Client, order: Order, path: str) -> None:
    client.force_login(make_superuser())
    assert client.get(f"/orders/order/{order.pk}/{path}").status_code == 404
