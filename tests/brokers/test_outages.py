"""What holds on every broker when a worker, or the broker itself, is killed, stopped, frozen or emptied."""

from celery import states
from django.utils import timezone

from scheduling.models import Attempt, Process
from scheduling.planning import plan
from tests.brokers.stage import (
    WORKER,
    Stage,
    broker_fails,
    handed_over,
    let_hand_over_again,
    ran_on,
    statuses,
    wait_until,
)
from tests.brokers.tasks import kill_its_worker


def test_runs_of_a_killed_worker_are_run_by_the_next(played: Stage) -> None:
    keys = played.plan(6, seconds=1.0)
    wait_until(lambda: states.STARTED in statuses(keys))
    played.kill_worker()
    played.expect_once(keys)


def test_poison_task_stops_after_its_attempts_and_harms_no_other(played: Stage) -> None:
    key = f"{played.name}:poison/kill"
    plan(key, kill_its_worker, at=timezone.now())
    played.expect_once(played.plan(2))
    wait_until(lambda: statuses([key]) == [states.FAILURE])
    assert Attempt.objects.filter(run__task_result__periodic_task_name=key).count() == 1


def test_frozen_broker_is_noticed_in_time_and_holds_up_no_planning(played: Stage) -> None:
    played.broker.freeze()
    try:
        keys = played.plan(5)
        wait_until(broker_fails)
    finally:
        played.broker.thaw()
    played.expect_once(keys)


def test_what_waits_in_a_broker_outlives_its_restart(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    with played.worker_at_rest():
        waiting = played.plan(20)
        wait_until(lambda: handed_over(waiting))
        played.broker.stop()
        meanwhile = played.plan(5)
        wait_until(broker_fails)
        played.broker.start()
    if not played.broker.keeps:
        let_hand_over_again(waiting)
    played.expect_once([*waiting, *meanwhile])
    assert handed_over(waiting, times=2) != played.broker.keeps
    assert played.cluster.pid(WORKER) == before


def test_nothing_is_lost_or_doubled_with_the_memory_of_the_broker(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    with played.worker_at_rest():
        waiting = played.plan(20)
        wait_until(lambda: handed_over(waiting))
        played.broker.stop()
        played.broker.forget()
    played.cluster.add_worker("late")
    late = played.cluster.pid("late")
    meanwhile = played.plan(5)
    wait_until(broker_fails)
    played.broker.start()
    let_hand_over_again(waiting)
    played.expect_once([*waiting, *meanwhile])
    wait_until(lambda: not broker_fails())
    # One that was started while the broker was away, too, and neither had to be started again.
    wait_until(lambda: Process.objects.filter(name="late@faults").exists())
    shared = played.plan(20, seconds=0.2)
    played.expect_once(shared)
    assert ran_on(shared) == {"worker@faults", "late@faults"}
    assert (played.cluster.pid(WORKER), played.cluster.pid("late")) == (before, late)
    played.cluster.drop("late")
