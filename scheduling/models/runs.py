"""A run: what is known of a task result beyond what Celery keeps."""

from django.db import models
from django_celery_results.models import TaskResult


class Run(models.Model):
    """The way of one task result: when it was due, what it was given, how it was handed over.

    The state itself stands only in the task result, so that claiming and finishing a run are one
    statement each.
    """

    class NotRun(models.TextChoices):
        """Why a run was ended without having been started."""

        CANCELLED = "cancelled", "cancelled before it started"
        MISSED = "missed", "missed: later than its schedule allows"
        SKIPPED = "skipped", "skipped"
        EXPIRED = "expired", "expired before a worker took it"

    task_result = models.OneToOneField(
        TaskResult,
        on_delete=models.CASCADE,
        to_field="task_id",
        primary_key=True,
        related_name="run",
    )
    subject = models.CharField(max_length=200, blank=True, help_text='Whom it is about: "order:123".')
    planned_at = models.DateTimeField(
        null=True, help_text="When it was planned, or last postponed. Empty for runs of a schedule."
    )
    due_at = models.DateTimeField()
    args = models.JSONField(default=list, help_text="The positional arguments, lossless.")
    kwargs = models.JSONField(default=dict, help_text="The keyword arguments, lossless.")
    options = models.JSONField(default=dict, help_text="Celery's message options: queue, priority, headers.")
    queue = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was planned, or why it was not run, in words.")
    planned_by = models.CharField(max_length=200, blank=True)

    waits_for = models.CharField(
        max_length=255,
        blank=True,
        help_text="The task id of the run of the same schedule to end first.",
    )
    hand_over_at = models.DateTimeField(
        null=True,
        help_text="When to publish it (again). Empty once it needs no message any more.",
    )
    handed_over_at = models.DateTimeField(null=True, help_text="When the broker last took a message for it.")
    hand_overs = models.PositiveSmallIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=1)
    not_run_because = models.CharField(max_length=10, choices=NotRun, blank=True)

    error = models.CharField(max_length=300, blank=True, help_text="What it failed with, in a line.")
    cause = models.CharField(
        max_length=16,
        blank=True,
        help_text="A digest of the task and the kind of error: failures that are alike have the same.",
    )
    again_of = models.CharField(max_length=255, blank=True, help_text="The run this one repeats.")
    again_as = models.CharField(max_length=255, blank=True, help_text="The run that repeats this one.")
    rerun = models.ForeignKey(
        "Rerun",
        on_delete=models.SET_NULL,
        null=True,
        related_name="runs",
        db_index=False,
        help_text="What put it back together with others.",
    )
    parent_id = models.CharField(max_length=255, blank=True, help_text="The run whose task published it.")
    group_id = models.CharField(max_length=255, blank=True, help_text="Celery's group it belongs to.")

    progress_current = models.PositiveBigIntegerField(null=True)
    progress_total = models.PositiveBigIntegerField(null=True)
    progress_words = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["hand_over_at"],
                condition=models.Q(hand_over_at__isnull=False),
                name="scheduling_run_hand_over",
            ),
            models.Index(fields=["subject", "-due_at"], name="scheduling_run_subject"),
            models.Index(fields=["-due_at"], name="scheduling_run_due"),
            models.Index(
                fields=["cause", "-due_at"],
                condition=models.Q(again_as="") & ~models.Q(cause=""),
                name="scheduling_run_failed",
            ),
            models.Index(
                fields=["rerun"], condition=models.Q(rerun__isnull=False), name="scheduling_run_rerun"
            ),
            models.Index(
                fields=["parent_id"], condition=~models.Q(parent_id=""), name="scheduling_run_parent"
            ),
            models.Index(fields=["group_id"], condition=~models.Q(group_id=""), name="scheduling_run_group"),
        )
        permissions = (
            ("run_task", "Can run tasks and retry runs"),
            ("cancel_run", "Can cancel and stop runs"),
        )

    def __str__(self) -> str:
        return f"{self.task_result_id}"


class Attempt(models.Model):
    """An attempt that did not succeed: the last one's outcome stands in the task result."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    worker = models.CharField(max_length=100, blank=True)
    error = models.TextField()
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["run", "number"], name="scheduling_attempt_once"),)

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.run_id}"
