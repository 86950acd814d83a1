"""What holds on every broker, tried on real servers with a scheduler and a worker of their own.

The tests of one broker share all three, so each plans under keys of its own, and the last ones are
those that take the broker away.
"""

import json
import pickle
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult
from pytest_django import DjangoDbBlocker

from scheduling.cancelling import cancel
from scheduling.due import claim_due
from scheduling.models import Attempt, Process
from scheduling.planning import plan
from tests.brokers.servers import SERVERS
from tests.brokers.stage import (
    WORKER,
    Stage,
    broker_fails,
    committed_rows,
    effects,
    handed_over,
    let_hand_over_again,
    stage,
    statuses,
    wait_until,
)
from tests.brokers.tasks import kill_its_worker

# So that the test database is made.
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=SERVERS)
def played(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Stage]:
    """One broker, with what works on it; its rows are committed, for others must see them."""
    with committed_rows(django_db_blocker), stage(request.param) as made:
        yield made


def test_planned_run_is_handed_over_and_run_once(played: Stage) -> None:
    played.expect_once(played.plan(20))


@pytest.mark.parametrize(
    "ahead", [timedelta(seconds=1), timedelta(minutes=20), timedelta(hours=13)], ids=["1s", "20min", "13h"]
)
def test_run_planned_ahead_waits_in_the_database_until_it_is_due(played: Stage, ahead: timedelta) -> None:
    due_at = timezone.now() + ahead
    (key,) = played.plan(1, at=due_at)
    assert statuses([key]) == []
    # What its scheduler does at that time by its own clock, so that this one hands it over now.
    wait_until(lambda: bool(claim_due(now=due_at, lease=-ahead) or statuses([key])))
    played.expect_once([key])


def test_cancelled_run_whose_message_is_under_way_does_nothing(played: Stage) -> None:
    played.signal_worker(signal.SIGSTOP)
    keys = played.plan(6)
    wait_until(lambda: handed_over(keys))
    outcomes = cancel(*keys, because="no longer wanted")
    played.signal_worker(signal.SIGCONT)
    played.expect_once(played.plan(1))
    assert all(outcome.stopped for outcome in outcomes.values())
    assert statuses(keys) == [states.REVOKED] * len(keys)
    assert not any(map(effects, keys))


def test_several_workers_share_the_work(played: Stage) -> None:
    played.cluster.add_worker("second")
    wait_until(lambda: Process.objects.filter(name="second@faults").exists())
    keys = played.plan(20, seconds=0.2)
    played.expect_once(keys)
    played.cluster.drop("second")
    workers = TaskResult.objects.filter(periodic_task_name__in=keys).values_list("worker", flat=True)
    assert len(set(workers)) == 2


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


def test_messages_in_forbidden_formats_are_refused_and_the_worker_lives(
    played: Stage, tmp_path: Path
) -> None:
    before = played.cluster.pid(WORKER)
    with played.connect() as connection:
        producer = connection.Producer()
        for body, kind, encoding in forbidden(tmp_path / "made by pickle"):
            producer.publish(
                body,
                content_type=kind,
                content_encoding=encoding,
                # The exchange that every broker has: it puts a message into the queue of that name.
                exchange="",
                routing_key="celery",
            )
    played.expect_once(played.plan(2))
    assert played.cluster.pid(WORKER) == before
    assert not (tmp_path / "made by pickle").exists()


def test_frozen_broker_is_noticed_in_time_and_holds_up_no_planning(played: Stage) -> None:
    played.broker.freeze()
    try:
        keys = played.plan(5)
        wait_until(broker_fails)
    finally:
        played.broker.thaw()
    played.expect_once(keys)


def test_nothing_is_lost_or_doubled_with_the_memory_of_the_broker(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    played.signal_worker(signal.SIGSTOP)
    waiting = played.plan(20)
    wait_until(lambda: handed_over(waiting))
    played.broker.stop()
    played.signal_worker(signal.SIGCONT)
    played.cluster.add_worker("late")
    meanwhile = played.plan(5)
    wait_until(broker_fails)
    played.broker.start()
    let_hand_over_again(waiting)
    played.expect_once([*waiting, *meanwhile])
    wait_until(lambda: not broker_fails())
    # One that was started while the broker was away, too, and neither had to be started again.
    wait_until(lambda: Process.objects.filter(name="late@faults").exists())
    assert played.cluster.pid(WORKER) == before


class Trap:
    """Does harm when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def forbidden(made: Path) -> list[tuple[bytes, str, str]]:
    """Return messages that no worker may read, with their type and encoding."""
    yaml = b"!!python/object/apply:pathlib.Path.touch [" + json.dumps(str(made)).encode() + b"]"
    return [
        (pickle.dumps(Trap(made)), "application/x-python-serialize", "binary"),
        (yaml, "application/x-yaml", "utf-8"),
        (b'[[], {"half": ', "application/json", "utf-8"),
    ]
