from datetime import date, timedelta
from decimal import Decimal
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from orders import ordering
from orders.models import EventKind, Order, OrderEvent, OrderStatus
from orders.tasks import (
    cancel_unpaid_order,
    prune_order_events,
    sales_report,
    send_order_confirmation,
    send_payment_reminder,
)
from tests.factories import make_order, pay

pytestmark = pytest.mark.django_db
GONE = 999_999


def test_confirmation_is_sent_and_stands_in_the_timeline() -> None:
    order = make_order("10.00")
    assert send_order_confirmation(order_id=order.pk) == f"sent to {order.customer.email}"
    [message] = mail.outbox
    event = order.events.get(kind=EventKind.MAIL)
    assert event.words == f"Your order {order}: sent to {order.customer.email}"
    assert event.body == message.body


def test_confirmation_names_the_run_that_sent_it() -> None:
    order = make_order("10.00")
    send_order_confirmation.apply(kwargs={"order_id": order.pk}, task_id="the run").get()
    assert order.events.get(kind=EventKind.MAIL).task_id == "the run"


def test_confirmation_run_twice_is_sent_once() -> None:
    order = make_order("10.00")
    send_order_confirmation(order_id=order.pk)
    assert send_order_confirmation(order_id=order.pk) == "not sent: it was sent already"
    assert len(mail.outbox) == 1


def test_confirmation_of_a_paid_order_is_still_wanted() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    send_order_confirmation(order_id=order.pk)
    assert "nothing left to pay" in mail.outbox[0].body


def test_confirmation_of_a_cancelled_order_is_not_sent() -> None:
    order = ordering.cancel(make_order("10.00"), because="a mistake")
    assert send_order_confirmation(order_id=order.pk) == "not sent: the order is cancelled"
    assert not mail.outbox


def test_confirmation_that_cannot_be_sent_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> int:
        raise SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", fail)
    order = make_order("10.00")
    with pytest.raises(SMTPServerDisconnected):
        send_order_confirmation.apply(kwargs={"order_id": order.pk}, retries=5).get()
    assert not OrderEvent.objects.filter(kind=EventKind.MAIL).exists()


def test_reminder_says_what_is_still_to_be_paid() -> None:
    order = make_order("10.00")
    pay(order, "4.00")
    assert send_payment_reminder(order_id=order.pk) == f"sent to {order.customer.email}"
    assert "6.00 EUR" in mail.outbox[0].body


def test_reminder_run_twice_is_sent_once() -> None:
    order = make_order("10.00")
    send_payment_reminder(order_id=order.pk)
    assert send_payment_reminder(order_id=order.pk) == "not sent: it was sent already"
    assert len(mail.outbox) == 1


def test_reminder_of_a_paid_order_is_not_sent() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    assert send_payment_reminder(order_id=order.pk) == "not sent: the order is paid"
    assert not mail.outbox


def test_reminder_of_an_order_that_costs_nothing_is_not_sent() -> None:
    assert send_payment_reminder(order_id=make_order("0.00").pk) == "not sent: nothing is owed"


def test_unpaid_order_is_cancelled() -> None:
    order = make_order("10.00")
    assert cancel_unpaid_order(order_id=order.pk) == f"cancelled {order}"
    assert Order.objects.get().status == OrderStatus.CANCELLED
    assert order.events.get(kind=EventKind.CANCELLED).words == "cancelled: its payment did not come"


def test_unpaid_order_is_cancelled_once() -> None:
    order = make_order("10.00")
    cancel_unpaid_order(order_id=order.pk)
    assert cancel_unpaid_order(order_id=order.pk) == "not cancelled: the order is cancelled"


def test_paid_order_is_not_cancelled() -> None:
    order = make_order("10.00")
    pay(order, "10.00")
    assert cancel_unpaid_order(order_id=order.pk) == "not cancelled: the order is paid"
    assert Order.objects.get().status == OrderStatus.PAID


def test_tasks_for_an_order_that_is_gone_do_nothing() -> None:
    assert send_order_confirmation(order_id=GONE) == "not sent: the order is gone"
    assert send_payment_reminder(order_id=GONE) == "not sent: the order is gone"
    assert cancel_unpaid_order(order_id=GONE) == "not cancelled: the order is gone"


@override_settings(ORDERS_REPORT_RECIPIENTS=["finance@shop.example"])
def test_sales_report_tells_of_yesterday() -> None:
    make_order("10.00", placed_at=timezone.now() - timedelta(days=1))
    yesterday = timezone.localdate() - timedelta(days=1)
    assert sales_report() == f"sales of {yesterday} sent to finance@shop.example"
    assert "EUR: 1 order, 10.00 ordered, 0.00 received" in mail.outbox[0].body


@override_settings(ORDERS_REPORT_RECIPIENTS=["finance@shop.example"])
def test_sales_report_of_a_day_without_sales_says_so() -> None:
    sales_report(day=date(2026, 11, 1))
    assert mail.outbox[0].subject == "Sales of Sunday, 1 November 2026"
    assert "No orders were placed" in mail.outbox[0].body


def test_sales_report_for_nobody_is_not_sent() -> None:
    assert sales_report() == "not sent: nobody is named in ORDERS_REPORT_RECIPIENTS"


@pytest.mark.django_db(transaction=True)
def test_old_timeline_entries_are_pruned_and_the_others_kept() -> None:
    order = make_order("10.00")
    recent = order.events.count()
    order.events.create(kind=EventKind.NOTE, words="old", at=timezone.now() - timedelta(days=4 * 365))
    assert prune_order_events() == "deleted 1 timeline entries"
    assert order.events.count() == recent


def test_mail_says_money_to_the_cent() -> None:
    order = make_order("10.00", "0.10")
    pay(order, "0.10")
    send_payment_reminder(order_id=order.pk)
    order.refresh_from_db()
    assert order.owed == Decimal("10.00")
    assert "We have received 0.10 EUR" in mail.outbox[0].body
