"""What the pages of background work cost: their time and questions, in a small and a large back-office."""

import statistics
import time

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from benchmarks.history import TASK, fill
from orders.models import User

ROUNDS = 15
SMALL = {"runs": 1_000, "schedules": 100, "delayed": 1_000}
LARGE = {"runs": 1_000_000, "schedules": 10_000, "delayed": 100_000}


def costs() -> dict[str, dict[str, float]]:
    """Return for each page its median milliseconds and number of questions in both, and the ratio."""
    small, large = _measure(SMALL), _measure(LARGE)
    return {
        page: {
            "milliseconds_large": large[page][0],
            "questions_small": small[page][1],
            "questions_large": large[page][1],
            "large_over_small": large[page][0] / small[page][0],
        }
        for page in small
    }


def _measure(size: dict[str, int]) -> dict[str, tuple[float, int]]:
    fill(**size)
    client = Client(SERVER_NAME="localhost")
    user, _ = User.objects.get_or_create(email="reader@example.com", is_staff=True, is_superuser=True)
    client.force_login(user)
    return {name: _cost(client, address) for name, address in _addresses().items()}


def _addresses() -> dict[str, str]:
    results = reverse("admin:django_celery_results_taskresult_changelist")
    schedules = reverse("admin:scheduling_recurringtask_changelist")
    newest = TaskResult.objects.latest("pk")
    first = PeriodicTask.objects.get(name="schedule 1")
    return {
        "dashboard": reverse("admin:index"),
        "task results": results,
        "… those that failed": f"{results}?state=failed",
        "… of a task and a day": f"{results}?task={TASK}&period=day",
        "… of a schedule": f"{results}?schedule=schedule+1",
        "… found by id": f"{results}?q=run-999",
        "… found by order": f"{results}?q=order:999",
        "failures by cause": reverse("admin:django_celery_results_taskresult_failures"),
        "one run": reverse("admin:django_celery_results_taskresult_change", args=[newest.pk]),
        "periodic tasks": schedules,
        "… found by name": f"{schedules}?q=schedule+99",
        "one schedule, with its history": reverse("admin:scheduling_recurringtask_change", args=[first.pk]),
        "delayed tasks": reverse("admin:scheduling_delayedtask_changelist"),
        "workers and queues": reverse("admin:scheduling_process_changelist"),
    }


def _cost(client: Client, address: str) -> tuple[float, int]:
    """Return the median milliseconds and the number of questions of a page with nothing in the cache."""
    times = []
    for _ in range(ROUNDS + 1):
        cache.clear()
        with CaptureQueriesContext(connection) as questions:
            began = time.perf_counter()
            response = client.get(address)
            times.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{address} answers {response.status_code}")
    return statistics.median(times[1:]), len(questions)
