"""How fast a worker runs small tasks: results kept as ours, ignored, and kept by the stock backend."""

import os
import statistics
import subprocess
import sys
import time
from typing import Any

from celery import current_app as app

from benchmarks.database import empty, plan_due
from benchmarks.tasks import add, add_ignored, add_stock
from scheduling.models import Run
from scheduling.scheduler import Scheduler
from scheduling.unplanned import PLANNED_HEADER

QUIET = ("--without-mingle", "--without-gossip", "--without-heartbeat")
COUNT = 3000
ROUNDS = 3
EDGE = 200
"""Messages at either end that are not timed: the worker starts and stops on them."""


def throughput() -> dict[str, float]:
    """Return runs a second of each kind, and the ratios of their medians; the three take turns."""
    rounds = [(_ours(), _ignored(), _stock()) for _ in range(ROUNDS)]
    ours, ignored, stock = (statistics.median(rate) for rate in zip(*rounds, strict=True))
    return {
        "ours_per_second": ours,
        "ignored_per_second": ignored,
        "stock_per_second": stock,
        "ours_over_ignored": ours / ignored,
        "ours_over_stock": ours / stock,
    }


def _ours() -> float:
    empty()
    plan_due(add, COUNT)
    scheduler = Scheduler(app)
    while Run.objects.filter(hand_overs__gt=0).count() < COUNT:
        scheduler.tick()
    scheduler.close()
    return _drain("benchmarks.settings")


def _ignored() -> float:
    _publish(add_ignored)
    return _drain("benchmarks.settings")


def _stock() -> float:
    _publish(add_stock)
    return _drain("benchmarks.stock_settings")


def _publish(task: Any) -> None:
    empty()
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(COUNT):
            task.apply_async((number, 1), producer=producer, headers={PLANNED_HEADER: True})


def _drain(settings: str) -> float:
    """Start a worker of two processes and time it between the first and the last few messages."""
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "worker", "-c", "2", "-l", "ERROR", *QUIET]
    worker = subprocess.Popen(
        command,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with app.connection_for_read() as broker:
        client = broker.default_channel.client
        _wait_until_left(client, COUNT - EDGE)
        began = time.perf_counter()
        _wait_until_left(client, EDGE)
        seconds = time.perf_counter() - began
    worker.terminate()
    worker.wait()
    return (COUNT - 2 * EDGE) / seconds


def _wait_until_left(client: Any, count: int) -> None:
    give_up_at = time.monotonic() + 300
    while client.llen("celery") > count:
        if time.monotonic() > give_up_at:
            raise TimeoutError("the worker does not take its messages")
        time.sleep(0.005)
