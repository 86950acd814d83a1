"""P1, P14: orders are saved while the web process is killed, a receiver raises, and all come at once."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from orders.models import Order, User
from tests.faults.effects.apps import RAISING
from tests.faults.stage import Stage
from tests.faults.web import Desk, NotSaved, Web, make_customer, make_staff, web

DESKS = 4
LONGEST_LIFE_SECONDS = 1.5


def kill_while_saving(stage: Stage, n: int) -> dict[str, float]:
    """Kill the web process at random instants while staff create orders and customers.

    Args:
        n: how many times.
    """
    saved: list[str] = []
    stopped = threading.Event()
    with web(stage) as running, ThreadPoolExecutor(DESKS) as pool:
        desks = [Desk(running.root, email=make_staff(f"desk-{i}@shop.example").email) for i in range(DESKS)]
        customer = make_customer()
        at_work = [pool.submit(_work, desk, i, customer, saved, stopped) for i, desk in enumerate(desks)]
        try:
            _kill_again_and_again(running, n)
        finally:
            stopped.set()
        for worker in at_work:
            worker.result()
    stored = set(Order.objects.values_list("reference", flat=True))
    return {
        "kills": n,
        "orders": len(stored),
        "said to be saved and not": len(set(saved) - stored),
    } | missing()


def _work(desk: Desk, number: int, customer: User, saved: list[str], stopped: threading.Event) -> None:
    """Create orders, and now and then a customer, whether or not the web is there."""
    turn = 0
    while not stopped.is_set():
        turn += 1
        name = f"{number}-{turn}"
        try:
            if turn % 5 == 0:
                desk.create_customer(f"{name}@shop.example")
            else:
                desk.create_order(name, customer=customer)
                saved.append(name)
        except (NotSaved, OSError):
            time.sleep(0.05)


def _kill_again_and_again(running: Web, n: int) -> None:
    for _ in range(n):
        time.sleep(random.random() * LONGEST_LIFE_SECONDS)
        running.kill()
        running.start()


def raise_while_saving(stage: Stage, n: int) -> dict[str, float]:
    """Create orders at which the last receiver raises.

    Args:
        n: how many.
    """
    with web(stage) as running:
        desk = Desk(running.root, email=make_staff("desk@shop.example").email)
        customer = make_customer()
        raised = sum(not _is_saved(desk, f"{RAISING}{i}", customer) for i in range(n))
        kept = sum(_is_saved(desk, f"kept-{i}", customer) for i in range(n))
    half = Order.objects.filter(reference__startswith=RAISING).count()
    return {"raised": raised, "half saved": half, "others not saved": n - kept} | missing()


def _is_saved(desk: Desk, reference: str, customer: User) -> bool:
    try:
        desk.create_order(reference, customer=customer)
    except NotSaved:
        return False
    return True


def missing() -> dict[str, float]:
    """Count what should have been stored together with an order or a user and was not."""
    orders, users = Order.objects, User.objects
    return {
        "orders without payment details": orders.filter(payment_details=None).count(),
        "orders without timeline": orders.filter(events=None).count(),
        "orders without follow-ups": _without_follow_ups(),
        "users without profile": users.filter(profile=None).count(),
        "users without account": users.filter(account=None).count(),
    }


def _without_follow_ups() -> int:
    planned = set(PeriodicTask.objects.values_list("name", flat=True))
    planned |= set(TaskResult.objects.values_list("periodic_task_name", flat=True))
    return sum(f"order:{pk}/confirmation" not in planned for pk in Order.objects.values_list("pk", flat=True))


def create_at_once(stage: Stage, n: int) -> dict[str, float]:
    """Have as many members of staff send the form of a new order at the same moment.

    Args:
        n: how many.
    """
    with web(stage) as running, ThreadPoolExecutor(n) as pool:
        customer = make_customer()
        emails = [make_staff(f"desk-{i}@shop.example").email for i in range(n)]
        desks = [Desk(running.root, email=email) for email in emails]
        together = threading.Barrier(n)
        tries = [pool.submit(_send_with_others, desk, i, customer, together) for i, desk in enumerate(desks)]
        times = sorted(seconds for each in tries if (seconds := each.result()) is not None)
    return {
        "clients": n,
        "failures": n - len(times),
        "not stored": n - Order.objects.count(),
        "median s": round(times[len(times) // 2], 2),
        "p95 s": round(times[int(len(times) * 0.95)], 2),
    }


def _send_with_others(desk: Desk, number: int, customer: User, together: threading.Barrier) -> float | None:
    together.wait()
    try:
        return desk.create_order(f"at-once-{number}", customer=customer)
    except (NotSaved, OSError):
        return None
