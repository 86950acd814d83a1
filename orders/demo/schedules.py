"""The recurring schedules of the demo shop: those in code, and what staff added, paused and missed."""

from datetime import datetime, timedelta
from random import Random

from celery import current_app
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from orders.demo.runs import Records
from orders.demo.work import KEPT, NO_SERVER, TRIES
from orders.tasks import prune_order_events, sales_report
from scheduling.code_schedules import sync_code_schedules
from scheduling.definitions import follow_edits, recurring
from scheduling.models import Recurrence, Run
from scheduling.planning import Plan
from scheduling.tasks import prune_results
from scheduling.timetable import next_after, occurrences_between

PAUSED = "Weekly sales report"
LATE = "Sales so far today"
LATE_BY = timedelta(hours=3)
SHOWN = 40
"""Runs of each schedule, at most."""

NIGHTLY = "Sales report"
MISSED, FAILED = 5, 12
"""How many occurrences ago the nightly report was missed, and failed."""

WORDS = {
    sales_report.name: "sales of {day} sent to finance@backoffice.example",
    prune_order_events.name: "deleted 0 timeline entries",
    prune_results.name: "deleted 0 that succeeded and 0 others",
}


def make_schedules(records: Records, *, now: datetime, chance: Random) -> None:
    """Store the schedules, and add what ran by them to the records."""
    sync_code_schedules(settings.CELERY_BEAT_SCHEDULE)
    _add(PAUSED, "Sends last week's figures to the board.", hour="8", day_of_week="1")
    _add(LATE, "Sends the day's figures every hour.", hour="*", day_of_week="*")
    follow_edits(now=now)
    for periodic_task in recurring():
        _run_until(now - LATE_BY if periodic_task.name == LATE else now, periodic_task, records, chance)
    _pause(PAUSED, "until the new figures are agreed")
    Recurrence.objects.filter(periodic_task__name=LATE).update(late_by_seconds=3600)


def _add(name: str, description: str, *, hour: str, day_of_week: str) -> None:
    crontab = CrontabSchedule.objects.create(
        minute="0", hour=hour, day_of_week=day_of_week, timezone="Europe/Berlin"
    )
    PeriodicTask.objects.create(
        name=name, task=sales_report.name, crontab=crontab, description=description, headers="{}"
    )


def _pause(name: str, reason: str) -> None:
    PeriodicTask.objects.filter(name=name).update(enabled=False)
    Recurrence.objects.filter(periodic_task__name=name).update(next_due_at=None, pause_reason=reason)


def _plan(periodic_task: PeriodicTask, at: datetime) -> Plan:
    task = current_app.tasks[periodic_task.task]
    return Plan(key=periodic_task.name, task=task, at=at, reason=periodic_task.description)


def _run_until(end: datetime, periodic_task: PeriodicTask, records: Records, chance: Random) -> None:
    """Record the newest occurrences of a schedule up to a time, and leave it at the next one."""
    due = occurrences_between(periodic_task, after=end - KEPT, until=end, limit=SHOWN).newest
    for ago, at in enumerate(reversed(due), 1):
        _record(_plan(periodic_task, at), ago, records, chance)
    PeriodicTask.objects.filter(pk=periodic_task.pk).update(last_run_at=due[-1], total_run_count=len(due))
    Recurrence.objects.filter(pk=periodic_task.pk).update(next_due_at=next_after(periodic_task, end))


def _record(plan: Plan, ago: int, records: Records, chance: Random) -> None:
    if plan.key == NIGHTLY and ago == MISSED:
        words = "noticed 5:10:00 late, more than its schedule allows"
        records.not_run(plan, Run.NotRun.MISSED, words, at=plan.at + timedelta(hours=5, minutes=10))
    elif plan.key == NIGHTLY and ago == FAILED:
        records.failed(plan, NO_SERVER, attempts=TRIES)
    else:
        day = timezone.localdate(plan.at) - timedelta(days=1)
        records.succeeded(plan, WORDS[plan.task.name].format(day=day), seconds=chance.uniform(0.1, 2))
