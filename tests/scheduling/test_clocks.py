"""The database's server may have another time than ours: none of its business, for we ask it nothing."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import current_app, states
from django.db import connection
from django.utils import timezone

from scheduling.cancelling import cancel
from scheduling.definitions import follow_edits
from scheduling.due import claim_due
from scheduling.handover import LEASE, lease_due, mark_published, publish
from scheduling.heartbeat import beat, register, sign_off
from scheduling.models import Process, Run
from scheduling.planning import plan, postpone
from scheduling.pruning import prune_runs
from scheduling.recurring import claim_occurrences
from scheduling.rescue import Watch, rescue_lost
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WORKER,
    deliver,
    effects,
    make_recurring,
    make_run,
    reload,
)

pytestmark = pytest.mark.django_db

ASKS_THE_TIME = re.compile(r"\bnow\b|current_(time|date)|localtime|_timestamp\(|timeofday", re.IGNORECASE)

Messages = Callable[[], list[Any]]


def tell_no_time(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
    """Refuse a statement that would have the database say what time it is."""
    assert not ASKS_THE_TIME.search(sql), sql
    return execute(sql, *more)


@pytest.fixture(params=[HOUR, -HOUR], ids=["an hour before", "an hour behind"])
def clock(request: pytest.FixtureRequest, time_machine: Any) -> Iterator[Any]:
    """Our clock, standing still an hour off the database's."""
    time_machine.move_to(datetime.now(UTC) + request.param, tick=False)
    with connection.execute_wrapper(tell_no_time):
        yield time_machine


def claim() -> list[Run]:
    now = timezone.now()
    return [*claim_due(now=now, lease=LEASE), *claim_occurrences(now=now, lease=LEASE)]


def test_the_database_has_another_time(clock: Any) -> None:
    with connection.cursor() as cursor, pytest.raises(AssertionError, match="CURRENT_TIMESTAMP"):
        cursor.execute("SELECT CURRENT_TIMESTAMP")
    with connection.cursor() as cursor:
        # As the server itself is asked, past what refuses it.
        cursor.cursor.execute("SELECT CURRENT_TIMESTAMP")
        [told] = cursor.cursor.fetchone()
    theirs = told if isinstance(told, datetime) else datetime.fromisoformat(told).replace(tzinfo=UTC)
    assert abs(timezone.now() - theirs) > HOUR / 2


def test_what_is_planned_is_claimed_when_it_is_due_and_once(clock: Any) -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now() + MINUTE)
    clock.shift(59)
    assert claim() == []
    clock.shift(1)
    [run] = claim()
    assert (run.due_at, claim()) == (timezone.now(), [])


def test_what_is_postponed_or_cancelled_is_so_by_our_clock(clock: Any) -> None:
    for key in ("order:1/reminder", "order:2/reminder"):
        plan(key, tasks.report, at=timezone.now() + MINUTE)
    postpone("order:1/reminder", to=timezone.now() + 2 * MINUTE)
    assert cancel("order:2/reminder", because="paid")["order:2/reminder"].stopped
    clock.shift(119)
    assert claim() == []
    clock.shift(1)
    assert [run.task_result.periodic_task_name for run in claim()] == ["order:1/reminder"]


def test_a_schedule_is_due_at_each_of_its_times_and_once(clock: Any) -> None:
    make_recurring(every=60)
    follow_edits(now=timezone.now())
    for _ in range(3):
        clock.shift(59)
        assert claim() == []
        clock.shift(1)
        [run] = claim()
        assert claim() == []
        deliver(run)


def test_a_run_is_handed_over_at_once_and_again_when_its_message_is_in_doubt(
    clock: Any, messages: Messages
) -> None:
    make_run(tasks.report, hand_over_at=timezone.now())
    for minutes in (1, 2, 4):
        runs = lease_due(now=timezone.now())
        with current_app.amqp.producer_pool.acquire() as producer:
            publish(runs[0], app=current_app, producer=producer)
        mark_published(runs, now=timezone.now())
        assert len(messages()) == 1
        clock.shift(minutes * 60 - 1)
        assert lease_due(now=timezone.now()) == []
        clock.shift(1)


def test_a_message_that_comes_twice_works_once(clock: Any) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, hand_over_at=timezone.now() + MINUTE)
    for _ in range(2):
        deliver(run)
        clock.shift(61)
        assert lease_due(now=timezone.now()) == []
    assert effects() == ["x"]
    assert reload(run).task_result.status == states.SUCCESS


def test_a_retry_waits_for_its_time(clock: Any) -> None:
    run = make_run(tasks.retry_by_hand)
    deliver(run)
    clock.shift(29)
    assert lease_due(now=timezone.now()) == []
    clock.shift(1)
    assert lease_due(now=timezone.now()) == [run]


def test_a_run_is_put_back_when_its_worker_is_gone_and_not_before(clock: Any) -> None:
    started_at = timezone.now()
    register(WORKER, kind=Process.Kind.WORKER, started_at=started_at)
    clock.shift(1)
    run = make_run(status=states.STARTED, worker=WORKER, date_started=timezone.now())
    watch = Watch()
    for _ in range(10):
        clock.shift(5)
        assert beat(WORKER, started_at=started_at, running=[run.pk])
        assert rescue_lost(watch) == 0
    sign_off(WORKER, started_at=started_at)
    assert rescue_lost(watch) == 1
    clock.shift(1)
    assert lease_due(now=timezone.now()) == [run]


def test_a_run_is_pruned_after_its_time(clock: Any) -> None:
    run = make_run(tasks.report)
    deliver(run)
    clock.shift(30 * DAY)
    assert prune_runs(keep_succeeded=30 * DAY, keep_others=90 * DAY) == (0, 0)
    clock.shift(SECOND)
    assert prune_runs(keep_succeeded=30 * DAY, keep_others=90 * DAY) == (1, 0)
