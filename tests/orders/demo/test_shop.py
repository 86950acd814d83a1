"""The demo shop: alive, and by the rules."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import states
from django.db import transaction
from django.db.models import F, Max
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from orders import ordering, payments
from orders.demo.shop import open_shop
from orders.demo.staff import LOGINS, PASSWORD, Login
from orders.follow_ups import FollowUp
from orders.models import (
    AccountEntry,
    Order,
    OrderEvent,
    OrderPaymentDetails,
    OrderStatus,
    Payment,
    PaymentState,
)
from scheduling.alerting import find
from scheduling.models import AlertRule, Attempt, Recurrence, Run

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def now(django_db_setup: None, django_db_blocker: Any) -> Iterator[datetime]:
    """Open the shop once for all tests here, and return when that was."""
    with django_db_blocker.unblock(), transaction.atomic():
        now = timezone.now()
        open_shop(now=now)
        yield now
        transaction.set_rollback(True)


def test_shop_has_orders_in_every_state(now: datetime) -> None:
    assert set(Order.objects.values_list("status", flat=True)) == set(OrderStatus.values)
    assert {order.payment_state for order in Order.objects.with_payments()} >= {
        PaymentState.UNPAID,
        PaymentState.PARTLY_PAID,
        PaymentState.PAID,
        PaymentState.OVERPAID,
        PaymentState.REFUNDED,
    }


def test_shop_was_busy_for_ninety_days_and_today(now: datetime) -> None:
    placed = Order.objects.filter(placed_at__isnull=False)

    assert placed.filter(placed_at__lt=now - timedelta(days=80)).exists()
    assert placed.filter(placed_at__gt=now - timedelta(days=1)).exists()
    assert Order.objects.overdue(now).exists()


def test_totals_are_those_of_the_rules(now: datetime) -> None:
    before = dict(Order.objects.values_list("pk", "total"))

    for pk in before:
        ordering.recompute_total(pk)

    assert dict(Order.objects.values_list("pk", "total")) == before
    assert not OrderPaymentDetails.objects.exclude(amount_due=F("order__total")).exists()


def test_statuses_are_those_of_the_payments(now: datetime) -> None:
    some = Order.objects.exclude(status=OrderStatus.DRAFT)[::7]
    moved = [payments.settle(order, at=now) for order in some]

    assert not any(moved)


def test_nothing_happened_after_now(now: datetime) -> None:
    newest = [
        Order.objects.aggregate(at=Max("shipped_at"))["at"],
        OrderEvent.objects.exclude(order__status=OrderStatus.DRAFT).aggregate(at=Max("at"))["at"],
        Payment.objects.aggregate(at=Max("received_at"))["at"],
        AccountEntry.objects.aggregate(at=Max("at"))["at"] - timedelta(minutes=5),
        TaskResult.objects.aggregate(at=Max("date_done"))["at"],
    ]

    assert max(newest) <= now


def test_each_unpaid_order_waits_for_its_cancellation(now: datetime) -> None:
    keys = {FollowUp.CANCELLATION.key(order) for order in Order.objects.filter(status=OrderStatus.PLACED)}
    waiting = PeriodicTask.objects.filter(name__endswith="/cancel-unpaid", clocked__clocked_time__gt=now)

    assert set(waiting.values_list("name", flat=True)) == keys


def test_follow_ups_come_due_while_somebody_looks(now: datetime) -> None:
    soon = PeriodicTask.objects.filter(clocked__clocked_time__range=(now, now + timedelta(minutes=10)))

    assert {name.partition("/")[2] for name in soon.values_list("name", flat=True)} == {
        "payment-reminder",
        "cancel-unpaid",
    }


def test_runs_went_well_and_badly(now: datetime) -> None:
    assert set(TaskResult.objects.values_list("status", flat=True)) == {
        states.SUCCESS,
        states.FAILURE,
        states.REVOKED,
    }
    assert set(Run.objects.values_list("not_run_because", flat=True)) == {"", "cancelled", "missed"}
    assert Run.objects.filter(attempts__isnull=False, task_result__status=states.SUCCESS).exists()
    assert Run.objects.exclude(cause="").values("cause").distinct().count() > 1
    assert Attempt.objects.filter(traceback__contains="ConnectionRefusedError").exists()


def test_each_run_in_a_timeline_is_there(now: datetime) -> None:
    recent = OrderEvent.objects.filter(at__gt=now - timedelta(days=29)).exclude(task_id="")

    assert recent.exists()
    assert not recent.exclude(task_id__in=Run.objects.values("pk")).exists()


def test_one_schedule_is_paused_and_one_is_late(now: datetime) -> None:
    assert Recurrence.objects.filter(periodic_task__enabled=False).exclude(pause_reason="").count() == 1
    assert Recurrence.objects.filter(next_due_at__lt=now - timedelta(hours=1)).count() == 1


def test_a_rule_of_each_kind_watches_and_the_failures_are_told(now: datetime) -> None:
    rules = {rule.kind: rule for rule in AlertRule.objects.all()}
    assert set(rules) == set(AlertRule.Kind.values)
    assert find(rules["failures"], now=now) == "Order confirmation failed 3 times or more within 1 day."


@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.name)
def test_each_login_opens_the_dashboard(now: datetime, client: Client, login: Login) -> None:
    assert client.login(username=login.email, password=PASSWORD)
    assert client.get("/", follow=True).status_code == 200
