"""Orders and their lines."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.models.catalogue import Product
from orders.models.money import AmountField, currency_field, currency_is_known, to_cents
from orders.models.payments import Payment, PaymentKind, PaymentState, net_amount

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

DELIVERED = (OrderStatus.SHIPPED, OrderStatus.COMPLETED)
"""Statuses of orders whose goods have left the house."""


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders."""

    def with_payments(self) -> "OrderQuerySet":
        """Add `due`, `paid` and `has_refund`, derived from the entries; without it each order asks for its own."""
        entries = Payment.objects.filter(order=OuterRef("pk")).order_by()
        nothing = Value(Decimal(0), output_field=AmountField())
        derived = {
            "due": Case(
                When(status__in=BILLABLE, then=F("payment_details__amount_due")),
                default=nothing,
                output_field=AmountField(),
            ),
            "paid": Coalesce(
                Subquery(entries.values("order").annotate(net=net_amount()).values("net")),
                nothing,
                output_field=AmountField(),
            ),
            "has_refund": Exists(entries.filter(kind=PaymentKind.REFUNDED)),
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


class Order(models.Model):
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
        for name in ("due", "paid", "has_refund"):
            self.__dict__.pop(name, None)

    @cached_property
    def due(self) -> Decimal:
        """What the customer has to pay in all; nothing for a draft or a cancelled order."""
        return self._with_payments().due

    @cached_property
    def paid(self) -> Decimal:
        """What the customer has paid, less what was given back."""
        return self._with_payments().paid

    @cached_property
    def has_refund(self) -> bool:
        """Whether anything was given back."""
        return self._with_payments().has_refund

    @property
    def owed(self) -> Decimal:
        """What the customer still has to pay."""
        return max(self.due - self.paid, Decimal(0))

    @property
    def payment_state(self) -> PaymentState:
        """How the order stands."""
        return PaymentState.derived(due=self.due, paid=self.paid, has_refund=self.has_refund)

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether something should have been paid by now and is not."""
        due_at = self.payment_details.due_at
        return due_at is not None and due_at < now and self.owed > 0

    def _with_payments(self) -> "Order":
        """Return the order with what the database derives from its entries: the one place that does."""
        return Order.objects.with_payments().get(pk=self.pk)


class OrderLine(models.Model):
    """So many of a product, or of what a free text says, at a price.

    Total = quantity x unit price x (1 - discount), rounded to the cent, half a cent up; an order's
    total is the sum of its lines' rounded totals.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, related_name="order_lines"
    )
    description = models.CharField(
        max_length=200, blank=True, help_text="Empty: the product's name. A line without product needs one."
    )
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    unit_price = AmountField(
        blank=True, validators=[MinValueValidator(Decimal(0))], help_text="Empty: the product's price."
    )
    discount = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="A share: 0.15 is fifteen per cent off.",
    )
    total = AmountField(editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="order_line_quantity_positive",
                violation_error_message="A quantity is at least one.",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0),
                name="order_line_price_not_negative",
                violation_error_message="A price cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=1),
                name="order_line_discount_is_a_share",
                violation_error_message="A discount is a share between 0 and 1.",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_line_total_not_negative"),
            models.CheckConstraint(condition=~Q(description=""), name="order_line_described"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.description}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the line with what the product says and the total computed."""
        self.complete()
        self.total = to_cents(self.quantity * self.unit_price * (1 - self.discount))
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Fill in what the product says, and hold the line against its order."""
        self.complete()
        if not self.description:
            raise ValidationError({"description": "Choose a product, or say what is sold."})
        if self.unit_price is None:
            raise ValidationError({"unit_price": "A line without a product needs a price."})
        if self.product and self.order_id and self.product.currency != self.order.currency:
            raise ValidationError({"product": f"Its price is in {self.product.currency}, the order is not."})

    def complete(self) -> None:
        """Take name and price from the product where the line has none of its own."""
        if self.product:
            self.description = self.description or self.product.name
            if self.unit_price is None:
                self.unit_price = self.product.price
