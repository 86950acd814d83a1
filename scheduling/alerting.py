"""Alerts: what staff asked to be told of, found out and told.

The scheduler looks, not a task: that no worker is alive must be noticed when no worker is alive.
Telling is work like any other, so it survives a mail server that is down.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from celery import current_app, states
from django.db import transaction
from django.db.models import Min, QuerySet
from django.urls import reverse
from django_celery_results.models import TaskResult

from scheduling.catalogue import words_of
from scheduling.explaining import is_alive
from scheduling.models import AlertRule, DelayedTask, Process, Recurrence
from scheduling.planning import Plan, plan_many
from scheduling.runs import WAITING
from scheduling.subjects import Subject
from scheduling.telling import ways_of
from scheduling.templatetags.moments import duration

RESTART = timedelta(minutes=1)
"""For so long a queue may be without a worker, as at every restart, before anybody is told."""


def firing_alerts(*, now: datetime) -> QuerySet[AlertRule]:
    """Return the alerts that last, the newest first: for the dashboard."""
    firing = AlertRule.objects.filter(enabled=True, firing_since__isnull=False)
    restarting = {"kind": AlertRule.Kind.NOBODY, "firing_since__gt": now - RESTART}
    return firing.exclude(**restarting).order_by("-firing_since")


def describe_rules(ids: Collection[str]) -> Mapping[str, Subject]:
    """Return name and page of each rule that exists: runs that tell of an alert are about it."""
    known = AlertRule.objects.filter(pk__in=[id_ for id_ in ids if id_.isdecimal()])
    return {
        str(rule.pk): Subject(rule.name, reverse("admin:scheduling_alertrule_change", args=[rule.pk]))
        for rule in known
    }


@transaction.atomic
def watch(*, now: datetime) -> int:
    """Look at every enabled rule; plan a message for each that fires and was not told of lately.

    Safe with any number of schedulers: each rule is looked at by one of them at a time.

    Returns:
        How many fire.
    """
    rules = AlertRule.objects.select_for_update(skip_locked=True).filter(enabled=True)
    return sum(_look_at(rule, now=now) for rule in rules)


def find(rule: AlertRule, *, now: datetime) -> str:
    """Return what a rule finds now, in words; nothing if all is well."""
    return _FINDERS[AlertRule.Kind(rule.kind)](rule, now)


def _look_at(rule: AlertRule, *, now: datetime) -> bool:
    found = find(rule, now=now)
    if not found:
        AlertRule.objects.filter(pk=rule.pk, firing_since__isnull=False).update(firing_since=None, found="")
        return False
    rule.found = found[:300]
    rule.firing_since = rule.firing_since or now
    if _is_to_be_told(rule, now=now):
        _plan_telling(rule, now=now)
        rule.told_at = now
    rule.save(update_fields=["found", "firing_since", "told_at"])
    return True


def _is_to_be_told(rule: AlertRule, *, now: datetime) -> bool:
    pause = timedelta(minutes=rule.pause_minutes)
    if rule.kind == AlertRule.Kind.NOBODY and now - (rule.firing_since or now) < RESTART:
        return False
    return bool(ways_of(rule)) and (rule.told_at is None or rule.told_at <= now - pause)


def _plan_telling(rule: AlertRule, *, now: datetime) -> None:
    """Plan one run for each way of telling: when one fails and is tried again, the other is not repeated."""
    plan_many(
        [
            Plan(
                key=f"alert:{rule.pk}/{way}-{now.timestamp():.0f}",
                task=current_app.tasks["scheduling.tasks.tell"],
                at=now,
                kwargs={"rule_id": rule.pk, "found": rule.found, "way": way},
                reason=f"the alert “{rule.name}” fires",
                planned_by="alerts",
            )
            for way in ways_of(rule)
        ]
    )


def _find_failures(rule: AlertRule, now: datetime) -> str:
    since = now - timedelta(minutes=rule.window_minutes)
    failed = TaskResult.objects.filter(status=states.FAILURE, date_done__gte=since).order_by()
    if rule.task_name:
        failed = failed.filter(task_name=rule.task_name)
    count = failed.values("pk")[: rule.threshold].count()
    what = words_of(rule.task_name) if rule.task_name else "Tasks"
    window = duration(timedelta(minutes=rule.window_minutes))
    return f"{what} failed {count} times or more within {window}." if count >= rule.threshold else ""


def _find_late(rule: AlertRule, now: datetime) -> str:
    due_before = now - timedelta(seconds=rule.threshold)
    schedule = Recurrence.objects.filter(periodic_task__enabled=True, next_due_at__lt=due_before)
    late = [
        (row.next_due_at, f"“{row.periodic_task.name}” is due and was not noticed")
        for row in schedule.select_related("periodic_task").order_by("next_due_at")[:1]
    ]
    delayed = DelayedTask.objects.filter(clocked__clocked_time__lt=due_before)
    late += [
        (row.clocked.clocked_time, f"“{row.name}” is due and was not noticed")
        for row in delayed.order_by("clocked__clocked_time")[:1]
    ]
    waiting = TaskResult.objects.filter(status=states.PENDING, run__due_at__lt=due_before)
    # Asked for the first by due time, PostgreSQL walks all runs there are from the oldest on.
    if oldest := waiting.aggregate(due_at=Min("run__due_at"))["due_at"]:
        names = waiting.filter(run__due_at=oldest).values_list("task_name", flat=True)
        late += [(oldest, f"{words_of(name)} was due and has not started") for name in names[:1]]
    if not late:
        return ""
    due_at, words = min(late, key=lambda one: one[0] or now)
    return f"{words} for {duration(now - (due_at or now))}."


def _find_nobody(rule: AlertRule, now: datetime) -> str:
    queue = rule.queue or current_app.conf.task_default_queue
    workers = Process.objects.filter(kind=Process.Kind.WORKER)
    if any(queue in one.queues and is_alive(one, now=now) for one in workers):
        return ""
    return f"No worker is alive on queue {queue}."


def _find_backlog(rule: AlertRule, now: datetime) -> str:
    waiting = TaskResult.objects.filter(status__in=WAITING, run__due_at__lte=now).order_by()
    if rule.queue:
        waiting = waiting.filter(run__queue=rule.queue)
    count = waiting.values("pk")[: rule.threshold + 1].count()
    where = f"on queue {rule.queue}" if rule.queue else "in all"
    return f"More than {rule.threshold} runs wait {where}." if count > rule.threshold else ""


_FINDERS: dict[AlertRule.Kind, Callable[[AlertRule, datetime], str]] = {
    AlertRule.Kind.FAILURES: _find_failures,
    AlertRule.Kind.LATE: _find_late,
    AlertRule.Kind.NOBODY: _find_nobody,
    AlertRule.Kind.BACKLOG: _find_backlog,
}
