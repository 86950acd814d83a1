"""What is stored beside django-celery-beat's periodic tasks and django-celery-results' task results."""

from scheduling.models.alert_rules import AlertRule
from scheduling.models.periodic_tasks import DelayedTask, RecurringTask
from scheduling.models.processes import Process
from scheduling.models.recurrences import Recurrence
from scheduling.models.reruns import Rerun
from scheduling.models.runs import Attempt, Run

__all__ = ["AlertRule", "Attempt", "DelayedTask", "Process", "Recurrence", "RecurringTask", "Rerun", "Run"]
