"""The timeline of an order: who or what did what, when, in which run."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from orders.models.orders import Order


class EventKind(models.TextChoices):
    """What sort of thing happened."""

    DRAFTED = "drafted", "drafted"
    PLACED = "placed", "placed"
    DETAILS = "details", "payment details"
    CHANGED = "changed", "changed"
    FOLLOW_UP = "follow_up", "follow-up"
    MAIL = "mail", "e-mail"
    PAYMENT = "payment", "payment"
    PAID = "paid", "paid"
    SHIPPED = "shipped", "shipped"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "refunded"
    NOTE = "note", "note"


class OrderEvent(models.Model):
    """One line of an order's timeline."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=9, choices=EventKind)
    words = models.CharField(max_length=300)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who did it. Empty: it happened by itself.",
    )
    task_id = models.CharField(max_length=255, blank=True, help_text="The run that did it.")
    message_id = models.CharField(
        max_length=200, blank=True, help_text="Of an e-mail: its Message-ID, which keeps it from going twice."
    )
    body = models.TextField(blank=True, help_text="Of an e-mail: its text, to read it again.")

    class Meta:
        ordering = ("at", "id")
        indexes = (
            models.Index(fields=["order", "at", "id"], name="order_event_timeline"),
            # Pruning walks by age alone.
            models.Index(fields=["at"], name="order_event_age"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["message_id"], condition=~models.Q(message_id=""), name="order_event_mail_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=EventKind.values), name="order_event_kind_known"
            ),
        )

    def __str__(self) -> str:
        return self.words
