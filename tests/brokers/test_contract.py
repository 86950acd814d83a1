"""What holds on every broker, tried on real servers with a scheduler and a worker of their own.

The tests of one broker share all three, so each plans under keys of its own.
"""

import json
import pickle
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.brokers import broker_of
from scheduling.cancelling import cancel
from scheduling.due import claim_due
from scheduling.models import Process
from tests.brokers.stage import (
    WORKER,
    Stage,
    count_effects,
    handed_over,
    let_hand_over_again,
    ran_on,
    statuses,
    wait_until,
)
from tests.brokers.tasks import work


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
    with played.worker_at_rest():
        keys = played.plan(6)
        wait_until(lambda: handed_over(keys))
        outcomes = cancel(*keys, because="no longer wanted")
    played.expect_once(played.plan(1))
    assert all(outcome.stopped for outcome in outcomes.values())
    assert statuses(keys) == [states.REVOKED] * len(keys)
    assert not any(count_effects(keys).values())


def test_run_whose_message_comes_three_times_is_run_once(played: Stage) -> None:
    with played.worker_at_rest():
        keys = played.plan(5)
        for messages in (1, 2, 3):
            wait_until(partial(handed_over, keys, times=messages))
            let_hand_over_again(keys)
    played.expect_once(keys)


def test_several_workers_share_the_work(played: Stage) -> None:
    with played.another_worker("second"):
        keys = played.plan(20, seconds=0.2)
        played.expect_once(keys)
    assert ran_on(keys) == {"worker@faults", "second@faults"}


def test_each_queue_is_served_by_the_workers_that_listen_to_it(played: Stage) -> None:
    keys = played.plan(4, queue="bulk")
    wait_until(lambda: handed_over(keys))
    played.expect_once(played.plan(2))
    assert statuses(keys) == [states.PENDING] * len(keys)
    with played.another_worker("bulk", queues="bulk"):
        played.expect_once(keys)
    assert ran_on(keys) == {"bulk@faults"}


def test_what_is_urgent_overtakes_what_waits_where_there_are_priorities(played: Stage) -> None:
    broker = broker_of(played.broker.service.url)
    assert broker
    with played.worker_at_rest():
        patient = played.plan(12, seconds=0.1, priority=5)
        wait_until(lambda: handed_over(patient))
        urgent = played.plan(4, seconds=0.1, priority=broker.first_priority or 0)
        wait_until(lambda: handed_over(urgent))
    played.expect_once([*patient, *urgent])
    # A few were taken before the urgent ones came.
    overtook = max(started_at(urgent)) < sorted(started_at(patient))[6]
    assert overtook == ("priorities" not in broker.lacks)


def test_messages_that_are_no_tasks_are_refused_and_counted_and_harm_nobody(
    played: Stage, tmp_path: Path
) -> None:
    before, refused = played.cluster.pid(WORKER), count_refused()
    messages = forbidden(tmp_path / "made by reading it")
    for message in messages:
        played.publish(*message)
    played.expect_once(played.plan(2))
    wait_until(lambda: count_refused() == refused + len(messages))
    assert played.cluster.pid(WORKER) == before
    assert not (tmp_path / "made by reading it").exists()


def test_message_for_a_task_that_nobody_knows_is_shown_as_failed(played: Stage) -> None:
    before, task_id = played.cluster.pid(WORKER), str(uuid4())
    played.publish(b"[[], {}, {}]", "application/json", {"task": "shop.tasks.nobody_knows", "id": task_id})
    wait_until(TaskResult.objects.filter(task_id=task_id, status=states.FAILURE).exists)
    played.expect_once(played.plan(2))
    assert played.cluster.pid(WORKER) == before


def count_refused() -> int:
    return Process.objects.get(name="worker@faults").refused


class Trap:
    """Does harm when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def forbidden(made: Path) -> list[tuple[bytes, str, dict[str, str]]]:
    """Return messages that no worker may run: body, type, headers."""
    pickled = pickle.dumps(Trap(made)), "application/x-python-serialize"
    yaml = b"!!python/object/apply:pathlib.Path.touch [" + json.dumps(str(made)).encode() + b"]"
    headers = {"task": work.name, "id": str(uuid4())}
    return [
        (*pickled, {}),
        (*pickled, headers),
        (yaml, "application/x-yaml", headers),
        (b'[[], {"half": ', "application/json", headers),
        (b"\0\xff", "application/json", headers),
        (b"7", "application/json", headers),
        (b"[[], {}, {}]", "application/json", {}),
        (b"[[], {}, {}]", "application/json", {"task": work.name}),
        (b"[[], {}, {}]", "application/json", {**headers, "timelimit": "no pair"}),
    ]


def started_at(keys: list[str]) -> list[datetime]:
    return list(TaskResult.objects.filter(periodic_task_name__in=keys).values_list("date_started", flat=True))
