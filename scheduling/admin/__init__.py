"""The screens of scheduled work, in place of those that beat and results bring along."""

from django.contrib import admin
from django_celery_beat import models as beat
from django_celery_results import models as results

from scheduling.admin.delayed_tasks import DelayedTaskAdmin
from scheduling.admin.periodic_tasks import PeriodicTaskAdmin
from scheduling.admin.task_results import TaskResultAdmin

__all__ = ["DelayedTaskAdmin", "PeriodicTaskAdmin", "TaskResultAdmin"]

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
