"""What needs a person today: money that did not come, and work for orders that failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import states
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django_celery_results.models import TaskResult

from orders.models import Order
from orders.templatetags.desk import money
from scheduling.catalogue import words_of
from scheduling.subjects import describe

ROWS = 8
"""Of a kind: a list of its own holds the rest."""

FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Need:
    """One thing somebody should look at, and what to do about it."""

    whom: str
    address: str
    words: str
    since: datetime
    amount: str = ""
    failed: bool = False
    button: str = ""
    dialog: str = ""
    """The address of the dialog that the button opens; none for those who may not."""


def orders_in_need(request: HttpRequest, now: datetime) -> list[Need]:
    """Return orders that are overdue or paid in part, the longest overdue first."""
    needy = Order.objects.owed().filter(Q(payment_details__due_at__lt=now) | Q(paid__gt=0))
    rows = needy.select_related("customer", "payment_details").order_by("payment_details__due_at")
    may_receive = request.user.has_perm("orders.add_payment")
    return [_order_in_need(order, now, may_receive=may_receive) for order in rows[:ROWS]]


def _order_in_need(order: Order, now: datetime, *, may_receive: bool) -> Need:
    due_at = order.payment_details.due_at or now
    return Need(
        whom=f"{order} {order.customer}",
        address=reverse("admin:orders_order_change", args=[order.pk]),
        words="underpaid, due" if order.paid else "due",
        since=due_at,
        amount=money(order.owed, order.currency),
        button="Record payment",
        dialog=reverse("admin:orders_order_receive", args=[order.pk]) if may_receive else "",
    )


def failed_runs(request: HttpRequest, now: datetime) -> list[Need]:
    """Return the runs for orders that failed in the last day, the newest first."""
    runs = list(
        TaskResult.objects.filter(
            status=states.FAILURE, date_done__gte=now - FAILED_WITHIN, run__subject__startswith="order:"
        )
        .select_related("run")
        .defer("result", "traceback", "meta", "task_args", "task_kwargs")
        .order_by("-date_done")[:ROWS]
    )
    subjects = describe(run.run.subject for run in runs)
    return [
        Need(
            whom=subjects[run.run.subject].label,
            address=reverse("admin:django_celery_results_taskresult_change", args=[run.pk]),
            words=f"{words_of(run.task_name)} failed",
            since=run.date_done,
            failed=True,
        )
        for run in runs
    ]
