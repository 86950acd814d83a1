"""What each broker is measured to do: how fast it is, and what is lost or done twice when things break."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from celery import states

from scheduling.undelivered import send_all_again
from tests.brokers.stage import Stage, broker_fails, count_effects, handed_over, statuses, wait_until

BATCHES = 5
MANY = 200
FEW = 20
GIVE_UP_SECONDS = 300

type Figures = dict[str, Any]


def measure(stage: Stage, n: int) -> Figures:
    """Measure one broker.

    Args:
        n: how often each fault is inflicted.

    Returns:
        Its figures: speeds, recoveries, and what was lost or double for each fault.
    """
    stage.expect_once(stage.plan(FEW))
    speeds = {"hand-over s": time_batches(hand_over, stage), "run s": time_batches(run, stage)}
    recoveries: list[float] = []
    faults = {
        words: count(inflict(stage, n))
        for words, inflict in (
            ("worker killed in mid-run", lambda stage, n: kill_worker(stage, n, recoveries)),
            ("every message three times", deliver_again),
            ("broker restarted", restart),
            ("broker emptied", empty),
            ("broker frozen", freeze),
        )
    }
    return {
        **speeds,
        "recovery median s": round(statistics.median(recoveries), 1),
        "recovery max s": round(max(recoveries), 1),
        "faults": faults,
    }


def time_batches(step: Callable[[Stage], float], stage: Stage) -> float:
    """Return the median of several times: other work on this machine lengthens some."""
    return statistics.median(step(stage) for _ in range(BATCHES))


def hand_over(stage: Stage) -> float:
    """Return how long it takes to hand many runs over, while nothing else goes on."""
    with stage.worker_at_rest():
        began = time.monotonic()
        keys = stage.plan(MANY)
        wait_until(lambda: handed_over(keys))
        seconds = time.monotonic() - began
    stage.expect_once(keys, seconds=GIVE_UP_SECONDS)
    return seconds


def run(stage: Stage) -> float:
    """Return how long it takes to hand many runs over and run them in two processes."""
    began = time.monotonic()
    stage.expect_once(stage.plan(MANY), seconds=GIVE_UP_SECONDS)
    return time.monotonic() - began


def kill_worker(stage: Stage, n: int, recoveries: list[float]) -> Iterator[Sequence[str]]:
    """Kill the worker with all it has, and let another take its place."""
    for _ in range(n):
        keys = stage.plan(6, seconds=1.0)
        wait_until(partial(_has_started, keys))
        stage.kill_worker()
        began = time.monotonic()
        wait_for_end(keys)
        recoveries.append(time.monotonic() - began)
        yield keys


def _has_started(keys: Sequence[str]) -> bool:
    return states.STARTED in statuses(keys)


def deliver_again(stage: Stage, n: int) -> Iterator[Sequence[str]]:
    """Send each message three times."""
    for _ in range(n):
        with stage.worker_at_rest():
            keys = stage.plan(FEW)
            for times in (1, 2, 3):
                wait_until(partial(handed_over, keys, times=times))
                send_all_again()
        yield keys


def restart(stage: Stage, n: int) -> Iterator[Sequence[str]]:
    """Stop the broker with messages in it, and start it again with what it kept."""
    return _stop(stage, n, forget=lambda: None)


def empty(stage: Stage, n: int) -> Iterator[Sequence[str]]:
    """Stop the broker with messages in it, and start it again with nothing."""
    return _stop(stage, n, forget=stage.broker.forget)


def _stop(stage: Stage, n: int, *, forget: Callable[[], None]) -> Iterator[Sequence[str]]:
    for _ in range(n):
        with stage.worker_at_rest():
            keys = stage.plan(FEW)
            wait_until(partial(handed_over, keys))
            stage.broker.stop()
            forget()
            meanwhile = stage.plan(5)
            wait_until(broker_fails)
            stage.broker.start()
        send_all_again()
        yield [*keys, *meanwhile]


def freeze(stage: Stage, n: int) -> Iterator[Sequence[str]]:
    """Let the broker accept connections and answer nothing until that is noticed."""
    for _ in range(n):
        stage.broker.freeze()
        keys = stage.plan(FEW)
        wait_until(broker_fails)
        stage.broker.thaw()
        yield keys


def count(inflicted: Iterator[Sequence[str]]) -> dict[str, int]:
    """Return what was planned while a fault was inflicted, and what of it was lost or done twice."""
    counted = {"times": 0, "planned": 0, "lost": 0, "double": 0}
    for keys in inflicted:
        wait_for_end(keys)
        effects = count_effects(keys).values()
        counted["times"] += 1
        counted["planned"] += len(keys)
        counted["lost"] += sum(times == 0 for times in effects)
        counted["double"] += sum(times > 1 for times in effects)
    return counted


def wait_for_end(keys: Sequence[str]) -> None:
    """Wait until each has left an effect, or for as long as anybody would."""
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while not all(count_effects(keys).values()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
