"""Orders: what a customer asked for, how far it has come, and how it stands."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.models.money import NOTHING, AmountField, currency_field, currency_is_known
from orders.models.payments import Payment, PaymentState, paid_amount, refunded_amount
from orders.models.saved_whole import SavedWhole

FIRST_NUMBER = 1001


class OrderStatus(models.TextChoices):
    """How far an order has come."""

    DRAFT = "draft", "draft"
    PLACED = "placed", "placed"
    PAID = "paid", "paid"
    SHIPPED = "shipped", "shipped"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "refunded"


NOT_YET_PLACED = (OrderStatus.DRAFT, OrderStatus.CANCELLED)
"""Statuses an order can have without ever having been placed."""

BILLABLE = (OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
"""Statuses in which the customer has to pay the order's total."""

OPEN = (OrderStatus.DRAFT, OrderStatus.PLACED)
"""Statuses in which an order can still take another shape."""

DISPOSABLE = (*OPEN, OrderStatus.CANCELLED)
"""Statuses of orders that can be deleted, unless they were paid for."""

DELIVERED = (OrderStatus.SHIPPED, OrderStatus.COMPLETED)
"""Statuses of orders whose goods have left the house."""


def _sum_of_entries(amount: Coalesce) -> Coalesce:
    """Return an aggregate over the payment entries of each order, zero where there are none."""
    entries = Payment.objects.filter(order=OuterRef("pk")).order_by().values("order")
    return Coalesce(
        Subquery(entries.annotate(amount=amount).values("amount")), NOTHING, output_field=AmountField()
    )


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders."""

    def with_payments(self) -> "OrderQuerySet":
        """Add `due`, `paid` and `refunded`; without it each order asks for its own."""
        derived = {
            "due": Case(
                When(status__in=BILLABLE, then=F("payment_details__amount_due")),
                default=NOTHING,
                output_field=AmountField(),
            ),
            "paid": _sum_of_entries(paid_amount()),
            "refunded": _sum_of_entries(refunded_amount()),
        }
        return self.annotate(**derived)

    def owed(self) -> "OrderQuerySet":
        """Return those the customer still has to pay, or part of them."""
        unsettled = self.filter(status__in=BILLABLE, payment_details__settled_at__isnull=True)
        return unsettled.with_payments().filter(Q(paid__lt=F("due")))

    def overdue(self, now: datetime) -> "OrderQuerySet":
        """Return those that should have been paid by now and are not."""
        return self.owed().filter(payment_details__due_at__lt=now)

    def placed_between(self, start: datetime, end: datetime) -> "OrderQuerySet":
        """Return those placed from `start` up to, not including, `end`."""
        return self.filter(placed_at__gte=start, placed_at__lt=end)


class Order(SavedWhole):
    """What a customer ordered.

    Its payment details, timeline and follow-ups come with its first save (`orders.receivers`), its
    total follows its lines, and its status moves by the verbs of `orders.ordering` and
    `orders.payments` alone.
    """

    number = models.GeneratedField(
        # From the key the database gives out: no two orders can compete for one, and looking one up
        # needs no lock.
        expression=F("id") + FIRST_NUMBER - 1,
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )
    reference = models.CharField(
        max_length=80, blank=True, help_text="What another system calls it, if it came from one."
    )
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=9, choices=OrderStatus, default=OrderStatus.PLACED)
    currency = currency_field()
    total = AmountField(default=0, editable=False)
    placed_at = models.DateTimeField(null=True, blank=True, help_text="Empty while it is a draft.")
    shipped_at = models.DateTimeField(null=True, blank=True)
    deliver_to = models.TextField("delivery address", blank=True)
    note = models.TextField(blank=True, help_text="For colleagues; the customer never sees it.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["-placed_at", "-id"], name="order_placed"),
            models.Index(fields=["status", "-placed_at", "-id"], name="order_status_placed"),
            models.Index(fields=["customer", "-placed_at", "-id"], name="order_customer_placed"),
        )
        # One for each thing the order desk does to an order, so that a role is a choice of deeds.
        permissions = (
            ("ship_order", "Can ship and complete orders"),
            ("cancel_order", "Can cancel orders"),
            ("refund_order", "Can refund orders and reverse payments"),
            ("plan_order", "Can postpone, run and cancel what is planned for an order"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_known"),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=NOT_YET_PLACED) | Q(placed_at__isnull=False),
                name="order_placed_at_some_time",
                violation_error_message="An order that is no draft was placed at some time.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=DELIVERED) | Q(shipped_at__isnull=False),
                name="order_shipped_at_some_time",
                violation_error_message="An order that was shipped was shipped at some time.",
            ),
            models.UniqueConstraint(
                fields=["reference"],
                condition=~Q(reference=""),
                name="order_reference_once",
                violation_error_message="An order with this reference is already here.",
            ),
            currency_is_known("order_currency_known"),
        )

    def __str__(self) -> str:
        return f"#{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the order; one that is placed without a time is placed now."""
        if self.status == OrderStatus.PLACED and self.placed_at is None:
            self.placed_at = timezone.now()
        super().save(*args, **kwargs)

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: "models.QuerySet[Order] | None" = None,
    ) -> None:
        """Load the order anew, and forget what was derived from its payments."""
        super().refresh_from_db(using, fields, from_queryset)
        for name in ("due", "paid", "refunded", "_derived"):
            self.__dict__.pop(name, None)

    @cached_property
    def due(self) -> Decimal:
        """What the customer has to pay in all; nothing for a draft or a cancelled order."""
        return self._derived.due

    @cached_property
    def paid(self) -> Decimal:
        """What the customer has paid, less what was reversed."""
        return self._derived.paid

    @cached_property
    def refunded(self) -> Decimal:
        """What the customer was given back."""
        return self._derived.refunded

    @property
    def held(self) -> Decimal:
        """What the shop holds of the customer's money for this order."""
        return self.paid - self.refunded

    @property
    def owed(self) -> Decimal:
        """What the customer still has to pay. A refund makes nobody owe it again."""
        return max(self.due - self.paid, NOTHING)

    @property
    def payment_state(self) -> PaymentState:
        """How the order stands."""
        return PaymentState.derived(due=self.due, paid=self.paid, refunded=self.refunded)

    @property
    def may_change_lines(self) -> bool:
        """Whether its lines can still be changed: it is still to be paid, and nothing of it was."""
        return self.status in OPEN and not self.payments.exists()

    @property
    def may_be_deleted(self) -> bool:
        """Whether it can be deleted: nothing was paid for it, and nothing has left the house."""
        return self.status in DISPOSABLE and not self.payments.exists()

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether something should have been paid by now and is not."""
        due_at = self.payment_details.due_at
        return due_at is not None and due_at < now and self.owed > 0

    @cached_property
    def _derived(self) -> "Order":
        """The order with what the database derives from its entries: the one place that does."""
        return Order.objects.with_payments().get(pk=self.pk)
