"""Filling and emptying the tables."""

from datetime import datetime, timedelta

from celery import Task
from celery import current_app as app
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.models import Attempt, Process, Recurrence, Run
from scheduling.planning import Plan, plan_many

TABLES = (Attempt, Run, TaskResult, Recurrence, PeriodicTask, ClockedSchedule, Process)
CHUNK = 1000


def empty() -> None:
    """Empty the tables and the broker."""
    names = ", ".join(model._meta.db_table for model in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")
    with app.connection_for_write() as broker:
        broker.default_channel.client.flushall()


def clear_runs() -> None:
    """Take out what was due and what came of it; what is planned for the future stays."""
    runs = ", ".join(model._meta.db_table for model in (Attempt, Run, TaskResult, Process))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {runs} CASCADE")
        cursor.execute("DELETE FROM django_celery_beat_periodictask WHERE name LIKE 'due:%'")
        cursor.execute("DELETE FROM django_celery_beat_clockedschedule WHERE clocked_time < now()")
    with app.connection_for_write() as broker:
        broker.default_channel.client.flushall()


def plan_due(task: Task, count: int) -> None:
    """Plan runs that are due."""
    at = timezone.now() - timedelta(seconds=1)
    for start in range(0, count, CHUNK):
        plan_many([_plan(task, number, at) for number in range(start, min(start + CHUNK, count))])
    settle()


def plan_future(count: int) -> None:
    """Put so many one-offs into the next year; by SQL, since they only have to be there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH times AS (
                INSERT INTO django_celery_beat_clockedschedule (clocked_time)
                SELECT now() + interval '1 day' + number * interval '30 seconds'
                FROM generate_series(1, %s) AS number RETURNING id
            )
            INSERT INTO django_celery_beat_periodictask
                (name, task, clocked_id, args, kwargs, headers, one_off, enabled, total_run_count,
                 date_changed, description)
            SELECT 'future:' || id || '/add', 'benchmarks.tasks.add', id, '[]', '{"x": 1, "y": 1}', '{}',
                   true, true, 0, now(), ''
            FROM times
            """,
            [count],
        )
    settle()


def settle() -> None:
    """Bring the planner's statistics up to date, so that no run of a comparison pays for another's rows."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _plan(task: Task, number: int, at: datetime) -> Plan:
    return Plan(key=f"due:{number}/add", task=task, at=at, kwargs={"x": number, "y": 1})
