"""Runs that were put back together, to be run again."""

from django.db import models


class Rerun(models.Model):
    """What somebody put back in one go: how fast, and whether it was stopped because it failed again."""

    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    words = models.CharField(max_length=300, help_text="What is run again, for staff.")
    per_minute = models.PositiveIntegerField(null=True, help_text="How many a minute. Empty: all at once.")
    total = models.PositiveIntegerField()
    halted_at = models.DateTimeField(null=True)
    halted_because = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = (models.Index(fields=["-started_at"], name="scheduling_rerun_started"),)

    def __str__(self) -> str:
        return f"{self.words} again, by {self.started_by}"
