"""Beat's periodic tasks as staff see them: those that come again, and those that wait for one time."""

from collections.abc import Iterator

from django.db import models
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast
from django.db.models.query import ModelIterable
from django_celery_beat.models import PeriodicTask


class _WithZones(ModelIterable):  # type: ignore[type-arg]
    """Reads the time zone of each crontab as it is written.

    One that this machine does not know raises where its own field reads it, and would take the whole
    list with it. So that field is left out, and stands for a name until the crontab is parsed.
    """

    def __iter__(self) -> Iterator["RecurringTask"]:
        for row in super().__iter__():
            if row.crontab:
                # Past its field, which would read it.
                row.crontab.__dict__["timezone"] = row.zone
            yield row


class RecurringManager(models.Manager["RecurringTask"]):
    """The periodic tasks that are not single clocked runs."""

    def get_queryset(self) -> QuerySet["RecurringTask"]:
        """Return them with all that is asked of each row of a list."""
        found = (
            super()
            .get_queryset()
            .filter(clocked=None)
            .select_related("interval", "crontab", "solar", "recurrence")
            .defer("crontab__timezone")
            .annotate(zone=Cast("crontab__timezone", CharField()))
        )
        found._iterable_class = _WithZones
        return found


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
