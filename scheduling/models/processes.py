"""A process: a worker or a scheduler that says it is alive."""

from django.db import models


class Process(models.Model):
    """The heartbeat of one worker or scheduler.

    Kept in the database because Amazon SQS and ZooKeeper have neither remote control nor events.
    """

    class Kind(models.TextChoices):
        """What the process does."""

        WORKER = "worker"
        SCHEDULER = "scheduler"

    name = models.CharField(max_length=200, primary_key=True, help_text='As Celery names it: "celery@host".')
    kind = models.CharField(max_length=9, choices=Kind)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    hostname = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    running = models.JSONField(default=list, help_text="The task ids it had at its last heartbeat.")
    concurrency = models.PositiveSmallIntegerField(default=1)
    can_stop = models.BooleanField(
        default=False, help_text="Whether it can end a run that has started: its pool must have processes."
    )
    broker_failing_since = models.DateTimeField(null=True)
    broker_error = models.TextField(blank=True)
    refused = models.PositiveIntegerField(
        default=0, help_text="How many messages were no task's, since it started."
    )
    refused_because = models.TextField(blank=True, help_text="Why the last one was not.")

    class Meta:
        verbose_name_plural = "workers and queues"

    def __str__(self) -> str:
        return self.name
