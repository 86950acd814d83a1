"""The screens of scheduled work, in place of those that beat and results bring along."""

from django.contrib import admin
from django_celery_beat import models as beat
from django_celery_results import models as results

from scheduling.admin.alert_rules import AlertRuleAdmin
from scheduling.admin.delayed_tasks import DelayedTaskAdmin
from scheduling.admin.periodic_tasks import PeriodicTaskAdmin
from scheduling.admin.task_results import TaskResultAdmin
from scheduling.admin.workers import ProcessAdmin

__all__ = ["AlertRuleAdmin", "DelayedTaskAdmin", "PeriodicTaskAdmin", "ProcessAdmin", "TaskResultAdmin"]

# Theirs let view-only staff run tasks, take task names as free text, and list every schedule.
admin.site.unregister(
    [
        beat.ClockedSchedule,
        beat.CrontabSchedule,
        beat.IntervalSchedule,
        beat.PeriodicTask,
        beat.SolarSchedule,
        results.GroupResult,
    ]
)
