"""What planning one delayed task costs: ours beside beat's models."""

import json
from datetime import timedelta

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from benchmarks.database import empty
from benchmarks.tasks import add
from scheduling.planning import plan


def statements() -> dict[str, float]:
    """Return the statements of each way, without the transaction around them."""
    empty()
    at = timezone.now() + timedelta(days=1)
    with transaction.atomic(), CaptureQueriesContext(connection) as ours:
        plan("order:1/add", add, at=at, kwargs={"x": 1, "y": 1})
    with transaction.atomic(), CaptureQueriesContext(connection) as stock:
        clocked, _ = ClockedSchedule.objects.get_or_create(clocked_time=at)
        PeriodicTask.objects.create(
            name="order:2/add",
            task=add.name,
            clocked=clocked,
            one_off=True,
            kwargs=json.dumps({"x": 1, "y": 1}),
        )
    return {"ours_statements": len(ours), "stock_statements": len(stock)}
