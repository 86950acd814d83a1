import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import override_settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult
from pytest_django import DjangoAssertNumQueries

from orders import follow_ups, payments
from orders.follow_ups import FollowUp
from orders.models import Order
from orders.tasks import send_payment_reminder
from scheduling.due import claim_due
from tests.factories import make_customer, make_order, make_superuser, pay

pytestmark = pytest.mark.django_db


def test_times_follow_the_settings() -> None:
    with override_settings(
        ORDERS_PAYMENT_TERMS_DAYS=14, ORDERS_REMINDER_DAYS_BEFORE_DUE=3, ORDERS_CANCEL_DAYS_AFTER_DUE=5
    ):
        order = make_order()
        now = timezone.now()
        due = follow_ups.times(order, now=now)
    assert order.placed_at
    assert due == {
        FollowUp.CONFIRMATION: now,
        FollowUp.REMINDER: order.placed_at + timedelta(days=11),
        FollowUp.CANCELLATION: order.placed_at + timedelta(days=19),
    }


def test_order_placed_long_ago_is_neither_confirmed_nor_reminded_and_has_the_full_grace() -> None:
    now = timezone.now()
    order = make_order(placed_at=now - timedelta(days=60))
    assert follow_ups.times(order, now=now) == {FollowUp.CANCELLATION: now + timedelta(days=7)}


def test_reminder_whose_day_has_passed_is_due_at_once_while_the_payment_is_not() -> None:
    now = timezone.now()
    order = make_order(placed_at=now - timedelta(days=6, hours=12))
    assert follow_ups.times(order, now=now)[FollowUp.REMINDER] < now


def test_reminder_that_waits_is_sent_when_asked_for() -> None:
    order = make_order("10.00")
    follow_ups.remind(order, by=make_superuser())
    row = PeriodicTask.objects.get(name=FollowUp.REMINDER.key(order))
    assert row.clocked.clocked_time <= timezone.now()
    assert order.events.latest("id").words == "reminder asked for"


def test_who_was_reminded_is_reminded_again_when_asked_for() -> None:
    order = make_order("10.00")
    PeriodicTask.objects.filter(name=FollowUp.REMINDER.key(order)).delete()
    send_payment_reminder(order_id=order.pk)
    follow_ups.remind(order, by=make_superuser())
    row = PeriodicTask.objects.get(task=send_payment_reminder.name)
    assert send_payment_reminder(**json.loads(row.kwargs)) == f"sent to {order.customer.email}"
    assert len(mail.outbox) == 2


def test_reminder_asked_for_twice_is_on_its_way_once() -> None:
    order = make_order("10.00")
    PeriodicTask.objects.filter(name=FollowUp.REMINDER.key(order)).delete()
    by = make_superuser()
    follow_ups.remind(order, by=by)
    with pytest.raises(ValidationError, match="on its way"):
        follow_ups.remind(order, by=by)
    claim_due(now=timezone.now(), lease=timedelta(seconds=30))
    with pytest.raises(ValidationError, match="on its way"):
        follow_ups.remind(order, by=by)
    assert order.events.filter(words="reminder asked for").count() == 1


def test_draft_has_no_follow_ups() -> None:
    assert follow_ups.times(make_order(status="draft"), now=timezone.now()) == {}


def test_planned_rows_say_for_whom_and_why() -> None:
    order = make_order()
    row = PeriodicTask.objects.get(name=f"order:{order.pk}/payment-reminder")
    assert row.task == "orders.tasks.send_payment_reminder"
    assert row.kwargs == f'{{"order_id": {order.pk}}}'
    assert row.description.startswith(f"{order} is to be paid by ")


def test_planning_again_leaves_what_ran_and_plans_the_rest() -> None:
    order = make_order("10.00")
    payment = pay(order, "10.00")
    TaskResult.objects.create(
        task_id="x", periodic_task_name=FollowUp.REMINDER.key(order), status="SUCCESS", result="sent"
    )
    payments.reverse(payment)
    waiting = PeriodicTask.objects.values_list("name", flat=True)
    assert FollowUp.REMINDER.key(order) not in waiting
    assert FollowUp.CANCELLATION.key(order) in waiting
    words = order.events.values_list("words", flat=True)
    assert list(words)[-1].startswith("planned: cancellation if unpaid ")


def test_placing_an_order_takes_few_statements_however_many_there_are(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    customer = make_customer()
    for _ in range(5):
        make_order(customer=customer)
    with django_assert_num_queries(10):
        Order.objects.create(customer=customer)
