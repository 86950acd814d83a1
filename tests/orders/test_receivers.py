"""Each link of the chain: what it writes, and that it is this receiver that does."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core import serializers
from django.db import transaction
from django.db.models import ProtectedError
from django_celery_beat.models import PeriodicTask

from orders import follow_ups, ordering, payments, people
from orders.follow_ups import FollowUp
from orders.models import (
    Account,
    Customer,
    EventKind,
    Order,
    OrderEvent,
    OrderLine,
    OrderPaymentDetails,
    OrderStatus,
    Payment,
    Profile,
    User,
)
from orders.receivers import CHAIN
from tests.factories import make_customer, make_order, make_staff, pay

pytestmark = pytest.mark.django_db


def planned_for(order: Order) -> dict[str, Any]:
    rows = PeriodicTask.objects.filter(name__startswith=f"order:{order.pk}/").select_related("clocked")
    return {row.name.partition("/")[2]: row.clocked.clocked_time for row in rows}


def events_of(order: Order, kind: EventKind) -> list[str]:
    return list(order.events.filter(kind=kind).values_list("words", flat=True))


# -- people


def test_new_user_gets_profile_and_account() -> None:
    user = make_customer()
    assert (Profile.objects.get().user, Account.objects.get().user) == (user, user)


def test_new_customer_gets_profile_and_account() -> None:
    customer = Customer.objects.create_user("ana@customers.example")
    assert (Profile.objects.get().user_id, Account.objects.get().user_id) == (customer.pk, customer.pk)


def test_saved_user_keeps_profile_and_account() -> None:
    user = make_customer()
    user.profile.company = "Chai Ltd"
    user.profile.save()
    user.save()
    assert Profile.objects.get().company == "Chai Ltd"


def test_change_of_groups_is_recorded() -> None:
    user, desk = make_customer(), Group.objects.create(name="Night shift")
    user.groups.add(desk)
    desk.user_set.remove(user)
    user.groups.add(desk)
    user.groups.clear()
    words = (
        LogEntry.objects.filter(object_id=str(user.pk))
        .order_by("pk")
        .values_list("change_message", flat=True)
    )
    assert list(words) == ["added to Night shift", "removed from Night shift"] * 2


def test_clearing_a_group_is_recorded_for_each_of_its_users() -> None:
    users, desk = [make_customer(), make_customer()], Group.objects.create(name="Night shift")
    desk.user_set.set(users)
    LogEntry.objects.all().delete()
    desk.user_set.clear()
    assert LogEntry.objects.count() == 2


def test_adding_to_a_group_twice_is_recorded_once() -> None:
    user, desk = make_customer(), Group.objects.create(name="Night shift")
    user.groups.add(desk)
    user.groups.add(desk)
    assert LogEntry.objects.count() == 1


# -- orders


def test_new_order_gets_payment_details() -> None:
    order = make_order("10.00")
    assert order.placed_at
    details = OrderPaymentDetails.objects.get(order=order)
    assert (details.terms_days, details.amount_due) == (7, Decimal("10.00"))
    assert details.due_at == order.placed_at + timedelta(days=7)


def test_saved_order_keeps_its_payment_details() -> None:
    order = make_order()
    OrderPaymentDetails.objects.update(terms_days=30)
    order.save()
    assert OrderPaymentDetails.objects.get().terms_days == 30


def test_new_order_gets_a_timeline() -> None:
    desk = make_staff()
    order = make_order(created_by=desk)
    event = order.events.get(kind=EventKind.PLACED)
    assert (event.actor, event.at) == (desk, order.placed_at)


def test_new_draft_gets_payment_details_and_timeline_and_no_follow_ups() -> None:
    draft = make_order("10.00", status=OrderStatus.DRAFT)
    assert draft.payment_details.due_at is None
    assert events_of(draft, EventKind.DRAFTED) == ["drafted"]
    assert planned_for(draft) == {}


def test_placed_order_is_followed_up() -> None:
    order = make_order()
    due_at = order.payment_details.due_at
    assert due_at
    planned = planned_for(order)
    assert set(planned) == {"confirmation", "payment-reminder", "cancel-unpaid"}
    assert planned["payment-reminder"] == due_at - timedelta(days=1)
    assert planned["cancel-unpaid"] == due_at + timedelta(days=7)
    assert len(events_of(order, EventKind.FOLLOW_UP)) == 1


def test_draft_is_followed_up_once_it_is_placed() -> None:
    draft = make_order("10.00", status=OrderStatus.DRAFT)
    ordering.place(draft)
    assert set(planned_for(draft)) == {"confirmation", "payment-reminder", "cancel-unpaid"}


def test_edited_order_is_not_followed_up_anew() -> None:
    order = make_order()
    PeriodicTask.objects.filter(name=FollowUp.REMINDER.key(order)).delete()
    order.note = "no reminder, please"
    order.save()
    assert "payment-reminder" not in planned_for(order)


def test_cancelled_order_is_not_followed_up() -> None:
    order = make_order()
    ordering.cancel(order, because="a mistake")
    assert set(planned_for(order)) == {"confirmation"}
    assert "called off, as the order is cancelled" in events_of(order, EventKind.FOLLOW_UP)[-1]


def test_changed_terms_move_the_follow_ups() -> None:
    order = make_order()
    assert order.placed_at
    order.payment_details.terms_days = 30
    order.payment_details.save()
    planned = planned_for(order)
    assert planned["payment-reminder"] == order.placed_at + timedelta(days=29)
    assert planned["cancel-unpaid"] == order.placed_at + timedelta(days=37)
    assert events_of(order, EventKind.FOLLOW_UP)[-1].startswith("moved: payment reminder")


def test_changed_terms_bring_nothing_back_that_was_cancelled() -> None:
    order = make_order()
    PeriodicTask.objects.all().delete()
    order.payment_details.terms_days = 30
    order.payment_details.save()
    assert planned_for(order) == {}


# -- lines


def test_saved_line_changes_the_total() -> None:
    order = make_order("10.00", "2.50")
    assert order.total == order.payment_details.amount_due == Decimal("12.50")


def test_deleted_line_changes_the_total() -> None:
    order = make_order("10.00", "2.50")
    OrderLine.objects.filter(unit_price=10).delete()
    order.refresh_from_db()
    order.payment_details.refresh_from_db()
    assert order.total == order.payment_details.amount_due == Decimal("2.50")


# -- payments


def test_payment_is_in_the_timeline() -> None:
    order = make_order("10.00")
    payment = pay(order, "4.00")
    assert events_of(order, EventKind.PAYMENT) == [f"4.00 EUR received ({payment.reference})"]


def test_payment_in_full_ends_the_follow_ups() -> None:
    order = make_order("10.00")
    pay(order, "4.00")
    assert "payment-reminder" in planned_for(order)
    pay(order, "6.00")
    assert Order.objects.get().status == OrderStatus.PAID
    assert set(planned_for(order)) == {"confirmation"}


def test_reversed_payment_brings_the_follow_ups_back() -> None:
    order = make_order("10.00")
    payments.reverse(pay(order, "10.00"))
    assert Order.objects.get().status == OrderStatus.PLACED
    assert {"payment-reminder", "cancel-unpaid"} <= set(planned_for(order))


# -- deleting


def test_order_that_was_shipped_cannot_be_deleted() -> None:
    order = ordering.ship(make_order("0.00"))
    with pytest.raises(ProtectedError, match="was paid for or shipped"), transaction.atomic():
        order.delete()
    assert Order.objects.exists()


def test_order_that_was_paid_for_cannot_be_deleted() -> None:
    order = make_order("10.00")
    pay(order, "1.00")
    with pytest.raises(ProtectedError):
        order.delete()


def test_deleted_order_is_not_followed_up() -> None:
    order = make_order("10.00")
    pk = order.pk
    order.delete()
    assert not PeriodicTask.objects.filter(name__startswith=f"order:{pk}/").exists()
    assert not OrderEvent.objects.exists()


# -- the chain as a whole


@pytest.mark.parametrize(
    "receiver",
    {receiver for _, _, receiver in CHAIN if "raw" in receiver.__code__.co_varnames},
    ids=lambda receiver: receiver.__name__,
)
def test_row_loaded_as_it_is_sets_off_nothing(receiver: Callable[..., None]) -> None:
    receiver(instance=None, created=True, raw=True, update_fields=None)


def test_order_loaded_from_a_fixture_gets_nothing_added() -> None:
    order = make_order("10.00")
    dumped = serializers.serialize("json", [order])
    order.delete()
    for row in serializers.deserialize("json", dumped):
        row.save()
    assert Order.objects.exists()
    assert not OrderPaymentDetails.objects.exists()
    assert not PeriodicTask.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("module", "verb"),
    [(ordering, "add_payment_details"), (follow_ups, "plan_follow_ups")],
)
def test_receiver_that_raises_leaves_no_order_behind(
    monkeypatch: pytest.MonkeyPatch, module: Any, verb: str
) -> None:
    customer = make_customer()
    monkeypatch.setattr(module, verb, fail)
    with pytest.raises(RuntimeError, match="the receiver failed"):
        Order.objects.create(customer=customer)
    assert not Order.objects.exists()
    assert not OrderEvent.objects.exists()
    assert not PeriodicTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_receiver_that_raises_leaves_no_user_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "add_profile_and_account", fail)
    with pytest.raises(RuntimeError):
        make_customer()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_receiver_that_raises_leaves_no_payment_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order("10.00")
    monkeypatch.setattr(payments, "settle", fail)
    with pytest.raises(RuntimeError):
        Payment.objects.create(order=order, amount=10, reference="R")
    assert not Payment.objects.exists()
    assert not events_of(order, EventKind.PAYMENT)


def fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("the receiver failed")
