"""Beat's periodic tasks as staff see them: those that come again, and those that wait for one time."""

from django.db import models
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask


class RecurringManager(models.Manager["RecurringTask"]):
    """The periodic tasks that are not single clocked runs."""

    def get_queryset(self) -> QuerySet["RecurringTask"]:
        """Return them with all that is asked of each row of a list."""
        return (
            super()
            .get_queryset()
            .filter(clocked=None)
            .select_related("interval", "crontab", "solar", "recurrence")
        )


class DelayedManager(models.Manager["DelayedTask"]):
    """The single clocked runs that are still to come."""

    def get_queryset(self) -> QuerySet["DelayedTask"]:
        """Return them with the time each waits for."""
        return super().get_queryset().filter(clocked__isnull=False, enabled=True).select_related("clocked")


class RecurringTask(PeriodicTask):
    """A task that runs again and again."""

    objects = RecurringManager()

    class Meta:
        proxy = True
        verbose_name = "periodic task"

    def __str__(self) -> str:
        return str(self.name)


class DelayedTask(PeriodicTask):
    """A task that waits to run once."""

    objects = DelayedManager()

    class Meta:
        proxy = True
        verbose_name = "delayed task"
        default_permissions = ("add", "change", "view")

    def __str__(self) -> str:
        return str(self.name)
