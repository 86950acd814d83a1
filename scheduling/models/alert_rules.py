"""Alert rules: what staff want to be told of."""

from django.db import models


class AlertRule(models.Model):
    """One thing to watch, and whom to tell; while it lasts, once in every pause."""

    class Kind(models.TextChoices):
        """What is watched."""

        FAILURES = "failures", "a task failed so many times"
        LATE = "late", "a schedule is late by so many seconds"
        NOBODY = "nobody", "no worker is alive on a queue"
        BACKLOG = "backlog", "more runs than that wait on a queue"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField("watch for", max_length=8, choices=Kind)
    task_name = models.CharField("task", max_length=255, blank=True, help_text="Empty: any task.")
    queue = models.CharField(max_length=200, blank=True, help_text="Empty: any queue.")
    threshold = models.PositiveIntegerField(
        default=1, help_text="How many failures, waiting runs, or seconds of delay it takes."
    )
    window_minutes = models.PositiveIntegerField(
        "within minutes", default=60, help_text="Failures longer ago do not count."
    )
    emails = models.TextField("e-mail to", blank=True, help_text="Addresses, separated by commas.")
    webhook_url = models.URLField(
        "or post to", blank=True, help_text="Gets a JSON object with the rule's name and what was found."
    )
    pause_minutes = models.PositiveIntegerField(
        default=60, help_text="While it lasts, nobody is told again before so many minutes have passed."
    )
    enabled = models.BooleanField(default=True)

    firing_since = models.DateTimeField(null=True, editable=False)
    found = models.CharField(
        max_length=300, blank=True, editable=False, help_text="What was found, in words."
    )
    told_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
