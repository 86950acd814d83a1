"""A recurrence: when a periodic task is due next, and what to do when something is in its way."""

from django.db import models
from django_celery_beat.models import PeriodicTask


class Recurrence(models.Model):
    """What is kept beside a periodic task that is not a single clocked run."""

    class Overlap(models.TextChoices):
        """What to do when the last run is still going."""

        SKIP = "skip", "skip this run"
        WAIT = "wait", "wait until the last run has ended"
        RUN = "run", "run beside it"

    periodic_task = models.OneToOneField(
        PeriodicTask,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="recurrence",
    )
    next_due_at = models.DateTimeField(
        null=True,
        help_text="The next occurrence. Empty while paused and when none is left.",
    )
    definition = models.CharField(
        max_length=64,
        blank=True,
        help_text="A digest of the schedule `next_due_at` was computed from: an edit by any way changes it.",
    )
    defined_at = models.DateTimeField(null=True, help_text="When a scheduler first saw that definition.")
    late_by_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How late a missed run may still start. Empty: however late.",
    )
    overlap = models.CharField(max_length=4, choices=Overlap, default=Overlap.SKIP)
    spread_seconds = models.PositiveIntegerField(
        default=0,
        help_text="Start somewhere within so many seconds after the due time.",
    )
    in_code = models.BooleanField(default=False, help_text="Defined in code: staff may pause it.")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="When it was taken out of the code.")
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    skip_at = models.DateTimeField(null=True, blank=True, help_text="The one occurrence to skip.")

    class Meta:
        indexes = (
            models.Index(
                fields=["next_due_at"],
                condition=models.Q(next_due_at__isnull=False),
                name="scheduling_recurrence_due",
            ),
        )
        permissions = (("pause_schedule", "Can pause, resume and skip schedules"),)

    def __str__(self) -> str:
        return f"recurrence of {self.periodic_task_id}"
