"""What the scheduling tests are made of."""

from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from celery.app.task import Task
from celery.app.trace import build_tracer
from celery.result import AsyncResult
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from orders.models import Category
from scheduling.definitions import follow_edits
from scheduling.models import Process, Recurrence, Run
from scheduling.runs import build_result, insert_runs
from tests.scheduling import tasks_for_tests as tasks

WORKER = "celery@one"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def make_one_off(
    name: str = "order:1/reminder", *, at: datetime | None = None, **fields: Any
) -> PeriodicTask:
    """Make a delayed run as staff would in the editor: with a row of its own in each table."""
    clocked = ClockedSchedule.objects.create(clocked_time=at or timezone.now())
    values: dict[str, Any] = {"task": tasks.record.name, "kwargs": '{"name": "one"}', **fields}
    return PeriodicTask.objects.create(name=name, clocked=clocked, one_off=True, **values)


def make_recurring(name: str = "Nightly report", *, every: int = 60, **fields: Any) -> PeriodicTask:
    """Make a schedule that is due every so many seconds, or by the schedule among the fields."""
    if "crontab" not in fields:
        fields["interval"], _ = IntervalSchedule.objects.get_or_create(every=every, period="seconds")
    return PeriodicTask.objects.create(name=name, **{"task": tasks.report.name, **fields})


def make_crontab(**fields: Any) -> CrontabSchedule:
    return CrontabSchedule.objects.create(**{"minute": "0", "hour": "4", "timezone": "UTC", **fields})


def make_due(periodic_task: PeriodicTask, at: datetime, **policies: Any) -> Recurrence:
    """Make a schedule that was followed due at a moment."""
    follow_edits(now=timezone.now())
    Recurrence.objects.filter(pk=periodic_task.pk).update(next_due_at=at, **policies)
    return Recurrence.objects.get(pk=periodic_task.pk)


def make_run(task: Task = tasks.report, *, task_id: str = "run-1", **fields: Any) -> Run:
    """Make a run that waits, unless the fields say otherwise: those of the result, then of the run."""
    names = {field.name for field in TaskResult._meta.get_fields()}
    of_result = {name: fields.pop(name) for name in list(fields) if name in names}
    kwargs = fields.get("kwargs", {})
    result = build_result(task_id=task_id, task_name=task.name, shown_kwargs=kwargs)
    insert_runs([Run(task_result=result, **{"due_at": timezone.now(), "queue": "celery", **fields})])
    if of_result:
        TaskResult.objects.filter(task_id=task_id).update(**of_result)
    return Run.objects.select_related("task_result").get(pk=task_id)


def make_started(
    task: Task = tasks.report, *, worker: str = WORKER, ago: timedelta = MINUTE, **fields: Any
) -> Run:
    """Make a run that a worker claimed some time ago."""
    started_at = timezone.now() - ago
    return make_run(task, status="STARTED", worker=worker, date_started=started_at, **fields)


def make_worker(name: str = WORKER, *, running: list[str] | None = None, **fields: Any) -> Process:
    now = timezone.now()
    values: dict[str, Any] = {"started_at": now - HOUR, "seen_at": now, "hostname": "one", "pid": 1, **fields}
    return Process.objects.create(name=name, kind=Process.Kind.WORKER, running=running or [], **values)


def deliver(run: Run, *, worker: str = WORKER, planned: bool = True, **request: Any) -> Any:
    """Do with a run's message what a worker's child process does, and return what the tracer says.

    Args:
        planned: whether our scheduler sent it.
    """
    task = current_app.tasks[run.task_result.task_name]
    message = {
        "id": run.pk,
        "task": task.name,
        "retries": run.attempt - 1,
        "hostname": worker,
        "is_eager": False,
        "delivery_info": {"routing_key": run.queue, "redelivered": False},
        **({"planned": True} if planned else {}),
        **request,
    }
    return build_tracer(task.name, task, app=current_app, hostname=worker)(
        run.pk, run.args, run.kwargs, message
    )


def run_task(task: Task, *, task_id: str = "run-1", **kwargs: Any) -> Run:
    """Make a run, deliver it once, and return it as it stands then."""
    run = make_run(task, task_id=task_id, kwargs=kwargs)
    deliver(run)
    return reload(run)


def reload(run: Run) -> Run:
    return Run.objects.select_related("task_result").get(pk=run.pk)


def result_of(run: Run) -> AsyncResult:
    """Return the run as Celery reads it."""
    return AsyncResult(run.pk, app=current_app)


def effects() -> list[str]:
    """Return what the tasks for tests have left in the database."""
    return list(Category.objects.order_by("name").values_list("name", flat=True))
