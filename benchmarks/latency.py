"""How soon work planned for now starts, at fifty orders a second."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from benchmarks.database import empty
from benchmarks.tasks import STARTS, note_start
from benchmarks.throughput import QUIET
from scheduling.models import Process
from scheduling.planning import plan

PER_SECOND = 50
SECONDS = 30


def commit_to_start() -> dict[str, float]:
    """Return the quantiles of the time from a plan's commit to its run's start, in seconds."""
    empty()
    STARTS.unlink(missing_ok=True)
    with _running("beat", "-l", "ERROR", "--pidfile="), _running("worker", "-c", "2", "-l", "ERROR", *QUIET):
        _wait_until_alive()
        began = time.monotonic()
        for number in range(PER_SECOND * SECONDS):
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            plan(
                f"order:{number}/start",
                note_start,
                at=timezone.now(),
                kwargs={"committed_at": time.time()},
            )
        _wait_until_started(PER_SECOND * SECONDS)
    starts = [float(line) for line in STARTS.read_text().split()]
    quantiles = statistics.quantiles(starts, n=100)
    return {"planned": len(starts), "p50_seconds": quantiles[49], "p99_seconds": quantiles[98]}


@contextmanager
def _running(*arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "backoffice", *arguments],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_alive() -> None:
    give_up_at = time.monotonic() + 60
    while Process.objects.count() < 2:
        if time.monotonic() > give_up_at:
            raise TimeoutError("the worker or the scheduler does not start")
        time.sleep(0.1)
    time.sleep(2)


def _wait_until_started(count: int) -> None:
    give_up_at = time.monotonic() + 60
    while len(STARTS.read_text().split()) < count and time.monotonic() < give_up_at:
        time.sleep(0.2)
