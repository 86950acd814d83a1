"""P4, P5, P6: the broker is stopped, frozen, or loses its memory."""

import statistics
import time
from collections.abc import Callable

from celery import states
from django_celery_results.models import TaskResult
from redis import Redis

from orders.models import Order, OrderEvent
from scheduling.models import Run
from scheduling.runs import WAITING
from tests.faults.cluster import Cluster, wait_until
from tests.faults.counting import count, plan_effects, wait_for_quiet
from tests.faults.effects.tasks import nap
from tests.faults.stage import Stage
from tests.faults.web import Desk, NotSaved, make_customer, make_staff, web

PENDING, RUNNING = 1000, 100
NAP_SECONDS = 30.0


def save_without(stage: Stage, n: int, *, frozen: bool) -> dict[str, float]:
    """Save orders on the web while the broker is stopped or frozen, then let it come back.

    Args:
        n: how many orders are saved with a broker, and how many without.
        frozen: it accepts connections and never answers, instead of refusing them.
    """
    broker = stage.broker
    take, give_back = (broker.freeze, broker.thaw) if frozen else (broker.stop, broker.start)
    with web(stage) as running, Cluster() as cluster:
        cluster.add_scheduler("scheduler")
        cluster.add_worker("worker")
        cluster.wait_until_alive()
        desk = Desk(running.root, email=make_staff("desk@shop.example").email)
        save = _saver(desk)
        save(10, "warm")
        normal, errors = save(n, "normal")
        wait_until(_all_confirmed, seconds=120)
        take()
        away, errors_away = save(n, "away")
        give_back()
        began = time.monotonic()
        wait_until(_all_confirmed, seconds=300)
        drained_seconds = time.monotonic() - began
    return {
        "errors": errors + errors_away,
        "save median ms": round(statistics.median(normal) * 1000),
        "without broker median ms": round(statistics.median(away) * 1000),
        "ratio": round(statistics.median(away) / statistics.median(normal), 2),
        "lost": _not_confirmed(),
        "double": _confirmed_twice(),
        "drained within s": round(drained_seconds, 1),
        "drained per s": round(n / drained_seconds, 1),
    }


def _saver(desk: Desk) -> Callable[[int, str], tuple[list[float], int]]:
    customer = make_customer()

    def save(n: int, name: str) -> tuple[list[float], int]:
        times, errors = [], 0
        for number in range(n):
            try:
                times.append(desk.create_order(f"{name}-{number}", customer=customer))
            except (NotSaved, OSError):
                errors += 1
        return times, errors

    return save


def _not_confirmed() -> int:
    done = TaskResult.objects.filter(
        status=states.SUCCESS, task_name="orders.tasks.send_order_confirmation"
    ).count()
    return Order.objects.count() - done


def _all_confirmed() -> bool:
    return _not_confirmed() == 0


def _confirmed_twice() -> int:
    written = OrderEvent.objects.exclude(message_id="").values_list("message_id", flat=True)
    return len(written) - len(set(written))


def forget_everything(stage: Stage, n: int) -> dict[str, float]:
    """Empty the broker while 1,000 runs wait in it and 100 are running."""
    with Cluster() as cluster:
        cluster.add_scheduler("scheduler")
        cluster.add_worker("worker", concurrency=RUNNING, pool="threads")
        cluster.wait_until_alive()
        planned = plan_effects((f"running-{i}" for i in range(RUNNING)), task=nap, seconds=NAP_SECONDS)
        _wait_for(lambda: _in(states.STARTED) >= RUNNING)
        planned += plan_effects((f"pending-{i}" for i in range(PENDING)), task=nap, seconds=0.1)
        _wait_for(lambda: _waiting_in_broker() >= PENDING)
        running = _in(states.STARTED)
        with Redis.from_url(_redis_url(stage)) as client:
            client.flushall()
        pending = _waiting_in_broker()
        wait_for_quiet(planned, seconds=600)
        return count(planned) | {"pending": pending, "running": running}


def _redis_url(stage: Stage) -> str:
    url, _, _ = stage.broker.service.url.partition("?")
    return url.replace("redis+socket", "unix")


def _in(status: str) -> int:
    return TaskResult.objects.filter(status=status).count()


def _waiting_in_broker() -> int:
    return Run.objects.filter(hand_overs__gt=0, task_result__status__in=WAITING).count()


def _wait_for(condition: Callable[[], bool]) -> None:
    if not wait_until(condition, seconds=60):
        raise TimeoutError("the runs were not under way, so that nothing was measured")
