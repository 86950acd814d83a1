"""Stopping what real workers run: with processes of their own, and with threads alone."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import states
from django.utils import timezone

from orders.models import Category
from scheduling.models import Process, Run
from scheduling.stopping import stop_runs
from tests import services
from tests.scheduling import factories
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.conftest import TickUntil
from tests.scheduling.factories import reload
from tests.scheduling.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", params=["prefork", "threads"])
def pool(request: pytest.FixtureRequest) -> str:
    """The kind of worker: with processes to end, and without."""
    return str(request.param)


@pytest.fixture(scope="module")
def worker(
    pool: str, redis: services.Service, django_db_setup: None, django_db_blocker: Any, database_url: str
) -> Iterator[services.Service]:
    """A worker of that kind."""
    with (
        django_db_blocker.unblock(),
        running_worker(name_of(pool), redis.url, database_url, pool=pool) as process,
    ):
        yield services.Service(url=redis.url, process=process)


def name_of(pool: str) -> str:
    return f"celery@{pool}"


def make_run(seconds: float) -> Run:
    """Make a run that waits for so long and then writes."""
    kwargs = {"seconds": seconds, "name": "late"}
    task_id = str(uuid.uuid4())
    return factories.make_run(tasks.record_later, task_id=task_id, kwargs=kwargs, hand_over_at=timezone.now())


def children_of(pid: int) -> set[str]:
    return {one for file in Path(f"/proc/{pid}/task").glob("*/children") for one in file.read_text().split()}


def test_a_stopped_run_leaves_no_trace_and_its_process_ends_where_it_has_one(
    pool: str, worker: services.Service, tick_until: TickUntil
) -> None:
    has_processes = pool == "prefork"
    run = make_run(600 if has_processes else 8)
    process = Process.objects.filter(name=name_of(pool), can_stop=has_processes)
    tick_until(process.filter(running=[run.pk]).exists)
    before = children_of(worker.process.pid)
    assert stop_runs([run.pk], because="too slow") == {run.pk}
    assert reload(run).task_result.status == states.REVOKED
    tick_until(process.filter(running=[]).exists)
    assert (children_of(worker.process.pid) != before) == has_processes
    run = reload(run)
    assert (run.task_result.status, run.reason, run.attempt) == (states.REVOKED, "too slow", 1)
    assert not Category.objects.exists()
    following = make_run(0)
    tick_until(lambda: reload(following).task_result.status == states.SUCCESS)
    assert Category.objects.count() == 1
