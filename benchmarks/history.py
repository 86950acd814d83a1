"""A back-office that has run for long: schedules, their runs, and what waits; by SQL, for its number."""

from django.db import connection

from benchmarks.database import empty, plan_future, settle

TASK = "benchmarks.tasks.add"

SCHEDULES = """
    WITH hourly AS (
        INSERT INTO django_celery_beat_intervalschedule (every, period) VALUES (1, 'hours') RETURNING id
    ), planned AS (
        INSERT INTO django_celery_beat_periodictask
            (name, task, interval_id, args, kwargs, headers, one_off, enabled, total_run_count,
             date_changed, last_run_at, description)
        SELECT 'schedule ' || number, %(task)s, hourly.id, '[]', '{"x": 1, "y": 1}', '{}', false,
               number %% 20 <> 0, 0, now(), now() - number * interval '1 second', ''
        FROM hourly, generate_series(1, %(count)s) AS number
        RETURNING id, enabled
    )
    INSERT INTO scheduling_recurrence
        (periodic_task_id, next_due_at, definition, overlap, spread_seconds, in_code, pause_reason)
    SELECT id, CASE WHEN enabled THEN now() + interval '1 hour' END, '', 'skip', 0, false, '' FROM planned
"""
# One run a second, the newest a second ago: the newest twenty wait, every fiftieth failed for one of forty
# causes. One in two is a schedule's, the others are each an order's.
RUNS = """
    WITH given AS (
        SELECT number, now() - number * interval '1 second' AS due_at,
               CASE WHEN number <= 20 THEN 'PENDING'
                    WHEN number %% 50 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END AS status,
               number %% 2 = 0 AS is_scheduled
        FROM generate_series(1, %(count)s) AS number
    ), results AS (
        INSERT INTO django_celery_results_taskresult
            (task_id, task_name, periodic_task_name, status, worker, content_type, content_encoding, result,
             traceback, date_created, date_started, date_done)
        SELECT 'run-' || number, %(task)s,
               CASE WHEN is_scheduled THEN 'schedule ' || 1 + number / 2 %% %(schedules)s END,
               status, 'worker' || number %% 4, 'application/json', 'utf-8', '"done"',
               CASE WHEN status = 'FAILURE' THEN repeat('  File "somewhere.py", line 1' || chr(10), 20) END,
               due_at,
               CASE WHEN status <> 'PENDING' THEN due_at + interval '10 milliseconds' END,
               CASE WHEN status <> 'PENDING' THEN due_at + interval '1 second' END
        FROM given ORDER BY number DESC
    )
    INSERT INTO scheduling_run
        (task_result_id, subject, due_at, args, kwargs, options, queue, reason, planned_by, waits_for,
         hand_over_at, hand_overs, attempt, not_run_because, error, cause, again_of, again_as, parent_id,
         group_id, progress_words)
    SELECT 'run-' || number, CASE WHEN is_scheduled THEN '' ELSE 'order:' || number END, due_at, '[]',
           '{"x": 1, "y": 1}', '{}', 'celery', '', '', '',
           CASE WHEN status = 'PENDING' THEN now() + interval '1 hour' END, 1, 1, '',
           CASE WHEN status = 'FAILURE' THEN 'ValueError: cause ' || number / 50 %% 40 ELSE '' END,
           CASE WHEN status = 'FAILURE' THEN lpad((number / 50 %% 40)::text, 16, '0') ELSE '' END,
           '', '', '', '', ''
    FROM given
"""


def fill(*, schedules: int, delayed: int, runs: int) -> None:
    """Empty the tables and put so much into them."""
    empty()
    plan_future(delayed)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE django_celery_beat_intervalschedule CASCADE")
        cursor.execute(SCHEDULES, {"task": TASK, "count": schedules})
        cursor.execute(RUNS, {"task": TASK, "count": runs, "schedules": schedules})
    settle()
