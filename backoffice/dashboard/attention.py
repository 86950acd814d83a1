"""What needs a person today: money that did not come, and work for orders that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import states
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django_celery_results.models import TaskResult

from orders.admin.order_deeds import deeds_possible
from orders.models import Order
from orders.templatetags.desk import money
from scheduling.admin.dialogs import Button
from scheduling.admin.run_buttons import buttons_of
from scheduling.catalogue import words_of
from scheduling.subjects import describe

ROWS = 8
"""Of a kind: a list of its own holds the rest."""

FAILED_WITHIN = timedelta(days=1)

DEEDS = (
    ("remind", "Remind", "orders.plan_order"),
    ("receive", "Record payment", "orders.add_payment"),
)
"""What is done about an order that is owed for, and who may."""


@dataclass(frozen=True)
class Need:
    """One thing somebody should look at, and what to do about it."""

    whom: str
    address: str
    words: str
    since: datetime
    amount: str = ""
    failed: bool = False
    buttons: Sequence[Button] = ()
    """Those that the reader may use: each opens the dialog that the thing's own page has."""


def orders_in_need(request: HttpRequest, now: datetime) -> list[Need]:
    """Return orders that are overdue or paid in part, the longest overdue first."""
    needy = Order.objects.owed().filter(Q(payment_details__due_at__lt=now) | Q(paid__gt=0))
    rows = needy.select_related("customer", "payment_details").order_by("payment_details__due_at")
    return [_order_in_need(order, request, now) for order in rows[:ROWS]]


def _order_in_need(order: Order, request: HttpRequest, now: datetime) -> Need:
    due_at = order.payment_details.due_at or now
    whom, possible = f"{order} {order.customer}", deeds_possible(order)
    return Need(
        whom=whom,
        address=reverse("admin:orders_order_change", args=[order.pk]),
        words="underpaid, due" if order.paid else "due",
        since=due_at,
        amount=money(order.owed, order.currency),
        buttons=[
            Button(title, reverse(f"admin:orders_order_{deed}", args=[order.pk]), f"{title}: {whom}")
            for deed, title, permission in DEEDS
            if deed in possible and request.user.has_perm(permission)
        ],
    )


def failed_runs(request: HttpRequest, now: datetime) -> list[Need]:
    """Return the runs for orders that failed in the last day and were not run again, the newest first."""
    runs = list(
        TaskResult.objects.filter(
            status=states.FAILURE,
            date_done__gte=now - FAILED_WITHIN,
            run__subject__startswith="order:",
            run__again_as="",
        )
        .select_related("run")
        .defer("result", "traceback", "meta", "task_args", "task_kwargs")
        .order_by("-date_done")[:ROWS]
    )
    whom = describe(run.run.subject for run in runs)
    return [
        Need(
            whom=whom[run.run.subject].label,
            address=reverse("admin:django_celery_results_taskresult_change", args=[run.pk]),
            words=f"{words_of(run.task_name)} failed",
            since=run.date_done,
            failed=True,
            buttons=[
                Button(
                    "Retry", each.url, f"Retry: {words_of(run.task_name)} for {whom[run.run.subject].label}"
                )
                for each in buttons_of(request, run, names=("run-again",))
            ],
        )
        for run in runs
    ]
