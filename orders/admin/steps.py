"""What happens next for orders: each automatic step to come, with its time and its reason."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import TaskResult

from orders.models import Order
from scheduling.catalogue import words_of
from scheduling.periodic_tasks import waiting_one_offs
from scheduling.runs import UNFINISHED

RUNS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Step:
    """One automatic step that is planned, or has become due and not ended yet."""

    order_id: int
    words: str
    at: datetime
    reason: str
    planned_by: str
    kind: str = ""
    """How its key ends, while it can still be changed."""
    address: str = ""
    """Its run's page, once it is due."""

    @property
    def is_due(self) -> bool:
        """Whether its time has come."""
        return self.at <= timezone.now()


def steps_of(order: Order) -> list[Step]:
    """Return what is to happen, next first, in two statements."""
    return sorted([*_under_way([order]), *_planned([order])], key=lambda step: step.at)


def next_steps(orders: Collection[Order]) -> dict[int, Step]:
    """Return the next step of each order that has one, by its primary key, in two statements."""
    steps = [*_under_way(orders), *_planned(orders)] if orders else []
    return {step.order_id: step for step in sorted(steps, key=lambda step: step.at, reverse=True)}


def key_of(order_id: int, kind: str) -> str:
    """Return the key of a step, be it one that follows every order or one planned by hand."""
    return f"order:{order_id}/{kind}"


def _planned(orders: Collection[Order]) -> Iterator[Step]:
    about = reduce(or_, (Q(name__startswith=key_of(order.pk, "")) for order in orders))
    for row in waiting_one_offs().filter(about).select_related("clocked"):
        subject, _, kind = row.name.partition("/")
        yield Step(
            order_id=_order_id(subject),
            words=words_of(row.task),
            at=row.clocked.clocked_time,
            reason=row.description,
            planned_by=json.loads(row.headers or "{}").get("planned_by", ""),
            kind=kind,
        )


def _under_way(orders: Collection[Order]) -> Iterator[Step]:
    subjects = [f"order:{order.pk}" for order in orders]
    runs = TaskResult.objects.filter(run__subject__in=subjects, status__in=UNFINISHED)
    for result in runs.select_related("run").order_by("run__due_at")[: RUNS_SHOWN * len(orders)]:
        yield Step(
            order_id=_order_id(result.run.subject),
            words=words_of(result.task_name),
            at=result.run.due_at,
            reason=result.run.reason,
            planned_by=result.run.planned_by,
            address=reverse("admin:django_celery_results_taskresult_change", args=[result.pk]),
        )


def _order_id(subject: str) -> int:
    return int(subject.partition(":")[2])
