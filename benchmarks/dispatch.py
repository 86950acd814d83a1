"""How fast due one-offs leave: ours beside a bare publish loop and beside beat's own scheduler."""

import math
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import current_app as app
from django.db import connections
from django_celery_beat.schedulers import DatabaseScheduler
from kombu import Producer

from benchmarks.database import clear_runs, empty, plan_due, plan_future
from benchmarks.tasks import add, add_ignored
from scheduling.models import Run
from scheduling.scheduler import Scheduler
from scheduling.unplanned import PLANNED_HEADER

FUTURE = 1_000_000
BARE = {PLANNED_HEADER: True}
"""With it the project writes no run at publish, as for its own messages: the loop is Celery's alone."""

STOCK_SECONDS = 30
ROUNDS = 3


def rates(due: int) -> dict[str, float]:
    """Return runs a second for so many due one-offs beside a million future ones, and the ratios.

    Ours and the bare loop take turns, and the ratio is of their medians; beat's own scheduler is
    stopped after half a minute.
    """
    empty()
    plan_future(FUTURE)
    pairs = [(_bare(due), _ours(due)) for _ in range(ROUNDS)]
    bare, ours = (statistics.median(rate) for rate in zip(*pairs, strict=True))
    stock = _stock(due)
    return {
        "due": due,
        "bare_per_second": bare,
        "ours_per_second": ours,
        "stock_per_second": stock,
        "ours_over_bare": ours / bare,
        "ours_over_stock": ours / stock,
    }


def two_over_one(due: int) -> dict[str, float]:
    """Return how much faster two schedulers are than one, each a process of its own."""
    empty()
    plan_future(FUTURE)
    pairs = [(_processes(1, due), _processes(2, due)) for _ in range(ROUNDS)]
    one, two = (statistics.median(rate) for rate in zip(*pairs, strict=True))
    return {"one_per_second": one, "two_per_second": two, "two_over_one": two / one}


def idle(future: int) -> dict[str, float]:
    """Return what an idle scheduler costs beside so many future one-offs."""
    empty()
    plan_future(future)
    scheduler = Scheduler(app)
    scheduler.tick()
    times = [_seconds(scheduler._work) for _ in range(50)]
    scheduler.close()
    return {
        "future": future,
        "tick_milliseconds": statistics.median(times) * 1000,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _bare(count: int) -> float:
    """Messages a second of a plain loop; its producer is connected already."""
    clear_runs()
    with app.producer_pool.acquire(block=True) as producer:
        _send(producer)
        clear_runs()
        began = time.perf_counter()
        for number in range(count):
            _send(producer, number)
        return count / (time.perf_counter() - began)


def _send(producer: Producer, number: int = 0) -> None:
    add_ignored.apply_async((number, 1), producer=producer, headers=BARE)


def _ours(count: int) -> float:
    """Messages a second of our scheduler, which has started and handed one over already."""
    _fill(1)
    scheduler = Scheduler(app)
    try:
        _seconds_to_leave(1, scheduler)
        _fill(count)
        return count / _seconds_to_leave(count, scheduler)
    finally:
        scheduler.close()


def _stock(count: int) -> float:
    """Messages a second of `DatabaseScheduler`, until all have left or half a minute is over."""
    _fill(count)
    scheduler = DatabaseScheduler(app=app)
    seconds = _seconds_to_leave(count, scheduler, give_up_after=STOCK_SECONDS)
    return _in_broker() / seconds


def _seconds_to_leave(count: int, scheduler: Any, *, give_up_after: float = math.inf) -> float:
    """Return the seconds from a scheduler's first tick until the broker has so many messages.

    Watched from a thread of its own: a tick that finds nothing more to do waits while the last messages
    leave.
    """
    began = time.perf_counter()

    def watch() -> float:
        with app.connection_for_read() as broker:
            client = broker.default_channel.client
            while (passed := time.perf_counter() - began) < give_up_after:
                if client.llen("celery") >= count:
                    break
                time.sleep(0.002)
        return passed

    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(watch)
        while not left.done():
            scheduler.tick()
        return left.result()


def _in_broker() -> int:
    with app.connection_for_read() as broker:
        return int(broker.default_channel.client.llen("celery"))


def _processes(number: int, count: int) -> float:
    _fill(count)
    connections.close_all()
    spawn = multiprocessing.get_context("fork")
    schedulers = [spawn.Process(target=_schedule) for _ in range(number)]
    for process in schedulers:
        process.start()
    _wait(lambda: _handed_over() > 0)
    seconds = _seconds(lambda: _wait(lambda: _handed_over() >= count))
    for process in schedulers:
        process.kill()
        process.join()
    return count / seconds


def _schedule() -> None:
    scheduler = Scheduler(app)
    while True:
        scheduler.tick()


def _fill(count: int) -> None:
    clear_runs()
    plan_due(add, count)


def _handed_over() -> int:
    return Run.objects.filter(hand_overs__gt=0).count()


def _wait(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
