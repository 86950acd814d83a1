"""Several connections at once: threads here stand for processes."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import states
from django.db import connection, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from orders.models import Category
from scheduling.cancelling import cancel
from scheduling.claims import claim
from scheduling.definitions import follow_edits
from scheduling.due import claim_due
from scheduling.exceptions import AlreadyRan, NotPlanned
from scheduling.handover import lease_due
from scheduling.models import Recurrence, RecurringTask, Run
from scheduling.planning import Plan, plan, plan_many, postpone
from scheduling.recurring import claim_occurrences
from scheduling.schedules import Policies, pause, resume, save_schedule
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, MINUTE, deliver, make_due, make_recurring, make_run

KEY = "order:1/reminder"
LEASE = timedelta(seconds=30)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once[T](*calls: Callable[[], T]) -> list[T]:
    """Call each in a thread and a connection of its own, all at the same moment."""
    results: list[T] = []
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> None:
        try:
            connection.ensure_connection()
            start.wait(20)
            results.append(call())
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    return results


def plan_one(key: str = KEY) -> bool:
    with transaction.atomic():
        return plan(key, tasks.report, at=timezone.now() + HOUR)


def test_a_key_planned_by_several_at_once_is_one_row() -> None:
    at_once(*[plan_one] * 5)
    assert PeriodicTask.objects.get().name == KEY


def test_two_transactions_that_plan_different_keys_do_not_wait_for_each_other() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with transaction.atomic():
        plan_one("order:1/x")
        at_once(lambda: plan_one("order:2/x"))
    assert PeriodicTask.objects.count() == 2


def test_each_delayed_run_is_claimed_by_one_scheduler() -> None:
    plan_many([Plan(key=str(number), task=tasks.report, at=timezone.now()) for number in range(40)])
    now = timezone.now()
    claimed = at_once(*[lambda: [run.pk for run in claim_due(now=now, lease=LEASE)]] * 3)
    times = Counter(task_id for ids in claimed for task_id in ids)
    assert len(times) == 40
    assert set(times.values()) == {1}
    assert not PeriodicTask.objects.exists()


def test_each_occurrence_is_claimed_by_one_scheduler() -> None:
    now = timezone.now()
    for number in range(5):
        make_due(make_recurring(str(number), every=3600), now)
    claimed = at_once(*[lambda: [run.pk for run in claim_occurrences(now=now, lease=LEASE)]] * 3)
    assert sorted(Counter(pk for ids in claimed for pk in ids).values()) == [1] * 5


def test_each_run_is_leased_by_one_scheduler() -> None:
    for number in range(20):
        make_run(task_id=str(number), hand_over_at=timezone.now())
    now = timezone.now()
    leased = at_once(*[lambda: [run.pk for run in lease_due(now=now)]] * 3)
    assert sorted(Counter(pk for ids in leased for pk in ids).values()) == [1] * 20


def test_a_run_delivered_to_several_workers_is_claimed_by_one() -> None:
    run = make_run()
    workers = [f"celery@{number}" for number in range(5)]
    claims = at_once(*[lambda worker=worker: claim(run.pk, worker=worker, attempt=1) for worker in workers])
    [held] = [held for held in claims if held]
    assert TaskResult.objects.get().worker == held.worker


def test_a_run_delivered_to_several_workers_has_one_effect() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    at_once(*[lambda worker=worker: deliver(run, worker=worker) for worker in ("celery@one", "celery@two")])
    assert Category.objects.count() == 1
    assert TaskResult.objects.get().status == states.SUCCESS


@pytest.mark.parametrize("number", range(3))
def test_a_cancel_and_a_worker_at_once_agree(number: int) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, periodic_task_name=KEY)
    stopped: list[bool] = []
    at_once(
        lambda: stopped.append(cancel(KEY, because="x")[KEY].stopped),
        lambda: deliver(run) and None,
    )
    ran = Category.objects.exists()
    assert stopped == [not ran]
    assert TaskResult.objects.get().status == (states.SUCCESS if ran else states.REVOKED)


@pytest.mark.parametrize("number", range(3))
def test_a_cancel_and_a_scheduler_at_once_agree(number: int) -> None:
    plan(KEY, tasks.report, at=timezone.now())
    stopped: list[bool] = []
    at_once(
        lambda: stopped.append(cancel(KEY, because="x")[KEY].stopped),
        lambda: list(claim_due(now=timezone.now(), lease=LEASE)) and None,
    )
    assert stopped == [True]
    assert TaskResult.objects.get().status == states.REVOKED


@pytest.mark.parametrize("number", range(3))
def test_a_postponement_and_a_scheduler_at_once_agree(number: int) -> None:
    plan(KEY, tasks.report, at=timezone.now())
    moved: list[bool] = []

    def move() -> None:
        try:
            postpone(KEY, to=timezone.now() + HOUR)
        except NotPlanned:
            moved.append(False)
        else:
            moved.append(True)

    at_once(move, lambda: list(claim_due(now=timezone.now(), lease=LEASE)) and None)
    assert moved == [not Run.objects.exists()]
    assert moved == [PeriodicTask.objects.exists()]


def _save(schedule: RecurringTask) -> None:
    save_schedule(schedule, timing=schedule.interval, kwargs={}, policies=Policies())


def _go_on(schedule: RecurringTask) -> None:
    follow_edits(now=timezone.now())


@pytest.mark.parametrize("edit", [lambda schedule: pause(schedule, reason="x"), resume, _save, _go_on])
def test_an_edit_and_a_scheduler_that_claims_the_schedule_do_not_lock_each_other_out(
    edit: Callable[[RecurringTask], object],
) -> None:
    make_due(make_recurring(every=3600), timezone.now(), paused_until=timezone.now())
    schedule = RecurringTask.objects.get()
    editor = threading.Thread(target=lambda: at_once(lambda: edit(schedule) and None))
    with transaction.atomic():
        # What a claim locks, in its order, as slow as can be.
        Recurrence.objects.select_for_update().get()
        editor.start()
        time.sleep(0.3)
        PeriodicTask.objects.update(total_run_count=1)
    editor.join(30)
    assert not editor.is_alive()


def test_planning_again_while_it_is_claimed_waits_for_the_outcome() -> None:
    plan(KEY, tasks.report, at=timezone.now() - MINUTE)
    outcomes: list[str] = []

    def plan_again() -> None:
        try:
            plan(KEY, tasks.report, at=timezone.now())
        except AlreadyRan:
            outcomes.append("ran")
        else:
            outcomes.append("waits")

    at_once(plan_again, lambda: list(claim_due(now=timezone.now() - MINUTE / 2, lease=LEASE)) and None)
    assert Run.objects.count() == 1
    assert not PeriodicTask.objects.exists()
    assert len(outcomes) == 1
