"""No look at what grows reads it whole: PostgreSQL says how it would find the rows of each statement."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from celery import states
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.cancelling import cancel
from scheduling.claims import claim
from scheduling.definitions import follow_edits
from scheduling.due import claim_due
from scheduling.handover import lease_due, mark_published
from scheduling.models import Run
from scheduling.planning import Plan, plan, plan_many, postpone
from scheduling.pruning import prune_runs
from scheduling.recurring import claim_occurrences
from scheduling.rescue import Watch, rescue_lost
from scheduling.runs import build_result, insert_runs
from scheduling.undelivered import send_again
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import (
    DAY,
    HOUR,
    MINUTE,
    make_due,
    make_recurring,
    make_run,
    make_started,
    make_worker,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite's plans say nothing of PostgreSQL's"
    ),
]

MANY = 20_000
LITTLE = 100
"""What PostgreSQL reckons that reading a few rows costs; all of a table are several times as much."""

GROWING = {model._meta.db_table for model in (TaskResult, Run, PeriodicTask, ClockedSchedule)}


@pytest.fixture
def many() -> None:
    """Make the work of a big shop: much that was done, much that is planned, and a little of all else."""
    now = timezone.now()
    runs = [done_run(f"run-{number}", now - 80 * DAY * number / MANY) for number in range(MANY)]
    insert_runs(runs)
    plan_many(
        [
            Plan(key=f"order:{number}/later", task=tasks.report, at=now + DAY + number * MINUTE)
            for number in range(MANY)
        ]
    )
    for number in range(20):
        make_run(task_id=f"due-{number}", hand_over_at=now - MINUTE)
        make_run(task_id=f"failed-{number}", status=states.FAILURE, date_done=now, cause="x", error="x")
        make_recurring(f"Report {number}", every=3600)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def done_run(task_id: str, at: datetime) -> Run:
    result = build_result(task_id=task_id, task_name=tasks.report.name, status=states.SUCCESS)
    result.date_created = result.date_started = result.date_done = at
    return Run(task_result=result, due_at=at, queue="celery", subject=f"order:{task_id}")


@contextmanager
def no_table_read_whole() -> Iterator[None]:
    """Fail if a statement in the block would read all of a table that grows."""
    read: list[str] = []

    def look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH|\()", sql):
            with connection.connection.cursor() as cursor:
                plan = str(cursor.execute(f"EXPLAIN {sql}", params).fetchall())
            cost = re.search(r"cost=[\d.]+\.\.(\d+)", plan)
            assert cost, plan
            # One that a LIMIT ends soon reads little of it.
            if int(cost[1]) > LITTLE:
                read.extend(
                    f"{name}: {sql}" for name in re.findall(r"Seq Scan on (\w+)", plan) if name in GROWING
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield
    assert read == []


@pytest.mark.usefixtures("many")
def test_no_step_of_a_run_reads_a_table_whole() -> None:
    now = timezone.now()
    make_due(make_recurring("Due"), now)
    worker = make_worker("celery@gone", running=["due-1"])
    with no_table_read_whole():
        for key in ("order:x/reminder", "order:y/reminder"):
            plan(key, tasks.report, at=now)
        postpone("order:x/reminder", to=now - MINUTE)
        cancel("order:y/reminder", "run-1", because="paid")
        assert len(claim_due(now=now, lease=MINUTE)) == 1
        assert len(claim_occurrences(now=now, lease=MINUTE)) == 1
        follow_edits(now=now)
        runs = lease_due(now=now)
        mark_published(runs, now=now)
        held = claim(runs[0].pk, worker="celery@one", attempt=1)
        assert held
        held.end(states.SUCCESS)
        send_again(worker)
        make_started(worker="celery@lost")
        assert rescue_lost(Watch()) == 1
        assert prune_runs(keep_succeeded=80 * DAY - HOUR, keep_others=90 * DAY)[0] > 0


@pytest.mark.usefixtures("many")
def test_no_page_reads_a_table_whole(admin_client: Client) -> None:
    results = reverse("admin:django_celery_results_taskresult_changelist")
    pages = [
        results,
        *(f"{results}?{query}" for query in ("q=run-7", "q=order:run-7", "state=failed", "state=waiting")),
        reverse("admin:scheduling_delayedtask_changelist"),
        reverse("admin:scheduling_recurringtask_changelist"),
        reverse("admin:scheduling_process_changelist"),
    ]
    with no_table_read_whole():
        for page in pages:
            assert admin_client.get(page).status_code == 200
