from datetime import UTC, datetime, timedelta

import pytest
from celery import states
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from scheduling.monitoring import Hour, Queue, count_by_hour, list_queues, list_workers
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def test_queue_tells_its_depth_and_its_oldest() -> None:
    now = timezone.now()
    make_process("worker", queues=["celery", "mail"])
    oldest = make_run(due_at=now - timedelta(hours=1))
    make_run(states.RETRY)
    make_run(due_at=now + timedelta(hours=1))
    make_run(states.STARTED)
    make_run(queue="slow", due_at=now - timedelta(minutes=2))
    queues = list_queues(list_workers(now=now), now=now)
    assert queues[0] == Queue("celery", 2, oldest.due_at, 1)
    assert [(queue.name, queue.depth, queue.listeners) for queue in queues[1:]] == [
        ("slow", 1, 0),
        ("mail", 0, 1),
    ]


def test_worker_tells_what_it_runs() -> None:
    now = timezone.now()
    make_process("worker", name="celery@worker-a")
    make_process("worker", name="celery@gone", seen_at=now - timedelta(minutes=5))
    running = make_run(states.STARTED)
    alive, gone = list_workers(now=now)
    assert (alive.process.name, alive.alive) == ("celery@worker-a", True)
    assert [result.task_id for result in alive.running] == [running.pk]
    assert (gone.process.name, gone.alive, gone.running) == ("celery@gone", False, [])


def test_workers_cost_two_questions(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        make_process("worker", name=f"celery@{number}")
        make_run(states.STARTED, worker=f"celery@{number}")
    with django_assert_num_queries(2):
        list_workers(now=timezone.now())


def test_every_hour_is_counted_by_outcome() -> None:
    make_run(states.SUCCESS, date_done=NOON)
    make_run(states.SUCCESS, date_done=NOON - timedelta(minutes=5))
    make_run(states.FAILURE, date_done=NOON - timedelta(hours=2))
    make_run(states.REVOKED, date_done=NOON)
    make_run(states.SUCCESS, date_done=NOON - timedelta(hours=5))
    ten = NOON.replace(hour=10, minute=0)
    hours = count_by_hour(first=ten, now=NOON)
    assert hours == [
        Hour(ten, 0, 1),
        Hour(ten + timedelta(hours=1), 0, 0),
        Hour(ten + timedelta(hours=2), 2, 0),
    ]
