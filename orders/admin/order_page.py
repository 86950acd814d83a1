"""What the page of one order shows beside its form: how it stands, what happens next, what happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import states
from django.http import HttpRequest
from django.urls import reverse
from django_celery_results.models import TaskResult

from orders.admin.planned import CHANGES
from orders.admin.steps import Step, steps_of
from orders.models import Order, OrderEvent, OrderStatus, Payment
from scheduling.catalogue import words_of
from scheduling.models import Run

EVENTS_SHOWN = 200
RUNS_SHOWN = 50


@dataclass(frozen=True)
class Happening:
    """One line of the timeline: an event, and the run that did it; or a run that left no event."""

    at: datetime
    words: str
    who: str = ""
    failed: bool = False
    run_address: str = ""
    run_seconds: float | None = None
    body: str = ""


def order_page(order: Order, request: HttpRequest) -> dict[str, Any]:
    """Return the context, in a number of queries that does not grow with what happened."""
    may_plan = request.user.has_perm("orders.plan_order")
    return {
        "order": order,
        "details": order.payment_details,
        "is_over": order.status in (OrderStatus.CANCELLED, OrderStatus.REFUNDED, OrderStatus.COMPLETED),
        "payments": payments_of(order),
        "steps": [(step, step_buttons(order, step) if may_plan else []) for step in steps_of(order)],
        "timeline": timeline_of(order),
    }


def payments_of(order: Order) -> "list[Payment]":
    """Return its entries, newest first."""
    return list(order.payments.select_related("recorded_by").order_by("-received_at", "-id"))


def step_buttons(order: Order, step: Step) -> list[tuple[str, str]]:
    """Return name and address of each change that a step still allows."""
    if not step.kind:
        return []
    return [
        (dialog.button, reverse("admin:orders_order_step", args=[order.pk, step.kind, change]))
        for change, dialog in CHANGES.items()
    ]


def timeline_of(order: Order) -> list[Happening]:
    """Return what happened, oldest first: the events, and the runs that left none because they failed."""
    events = list(order.events.select_related("actor").order_by("-at", "-id")[:EVENTS_SHOWN])
    runs = runs_of(order)
    told = {event.task_id for event in events}
    silent = [run_happening(run) for run in runs.values() if run.task_id not in told and was_lost(run)]
    happened = [event_happening(event, runs.get(event.task_id)) for event in reversed(events)]
    return sorted([*happened, *silent], key=lambda each: each.at)


def runs_of(order: Order) -> dict[str, TaskResult]:
    """Return the order's latest runs by their id."""
    found = TaskResult.objects.filter(run__subject=f"order:{order.pk}").select_related("run")
    return {run.task_id: run for run in found.order_by("-run__due_at")[:RUNS_SHOWN]}


def event_happening(event: OrderEvent, run: TaskResult | None) -> Happening:
    """Return an event as a line, with its run if one did it."""
    return Happening(
        at=event.at,
        words=event.words,
        who=str(event.actor) if event.actor else "",
        run_address=run_address(run) if run else "",
        run_seconds=run_seconds(run) if run else None,
        body=event.body,
    )


def run_happening(run: TaskResult) -> Happening:
    """Return a run that left no event as a line."""
    return Happening(
        at=run.date_done,
        words=f"{words_of(run.task_name)}: {run.run.get_not_run_because_display() or 'failed'}",
        failed=True,
        run_address=run_address(run),
        run_seconds=run_seconds(run),
    )


def was_lost(run: TaskResult) -> bool:
    """Tell whether a run ended without its work; of cancelled ones an event tells."""
    not_run = run.run.not_run_because
    return run.status == states.FAILURE or (bool(not_run) and not_run != Run.NotRun.CANCELLED)


def run_address(run: TaskResult) -> str:
    """Return the address of a run's page."""
    return reverse("admin:django_celery_results_taskresult_change", args=[run.pk])


def run_seconds(run: TaskResult) -> float | None:
    """Return how long it ran."""
    if not run.date_started or not run.date_done:
        return None
    return float((run.date_done - run.date_started).total_seconds())
