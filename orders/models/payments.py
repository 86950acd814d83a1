"""Payments: what an order's customer has to pay by when, and the entries of what was paid."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Sum, When
from django.db.models.functions import Coalesce, Round
from django.utils import timezone

from orders.models.append_only import AppendOnly, AppendOnlyQuerySet
from orders.models.money import CENT, AmountField, currency_field, currency_is_known


class PaymentMethod(models.TextChoices):
    """How money moves."""

    TRANSFER = "transfer", "bank transfer"
    CARD = "card", "card"
    CASH = "cash", "cash"
    ACCOUNT = "account", "customer account"


class PaymentKind(models.TextChoices):
    """What an entry records."""

    RECEIVED = "received", "received"
    REFUNDED = "refunded", "refunded"
    REVERSED = "reversed", "reversed"


class PaymentState(models.TextChoices):
    """How an order stands, derived from its entries and what is due."""

    NOTHING_DUE = "nothing_due", "nothing due"
    UNPAID = "unpaid", "unpaid"
    PARTLY_PAID = "partly_paid", "partly paid"
    PAID = "paid", "paid"
    OVERPAID = "overpaid", "overpaid"
    REFUNDED = "refunded", "refunded"

    @classmethod
    def derived(cls, *, due: Decimal, paid: Decimal, has_refund: bool) -> "PaymentState":
        """Derive the state from what is due, what was paid in the end, and whether some was given back."""
        if has_refund and paid <= 0:
            return cls.REFUNDED
        if paid > due:
            return cls.OVERPAID
        if due == 0:
            return cls.NOTHING_DUE
        if paid == due:
            return cls.PAID
        return cls.PARTLY_PAID if paid > 0 else cls.UNPAID


class OrderPaymentDetails(models.Model):
    """What is to be paid for an order, and until when. Made together with the order."""

    order = models.OneToOneField(
        "orders.Order", on_delete=models.CASCADE, primary_key=True, related_name="payment_details"
    )
    method = models.CharField(max_length=8, choices=PaymentMethod, default=PaymentMethod.TRANSFER)
    terms_days = models.PositiveSmallIntegerField(help_text="Days from the order to its due date.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the order is a draft.")
    amount_due = AmountField(default=0, editable=False)
    settled_at = models.DateTimeField(
        null=True, editable=False, help_text="When the payments came to cover the amount due."
    )

    class Meta:
        verbose_name = "payment details"
        verbose_name_plural = "payment details"
        indexes = (
            # What is owed and overdue is asked all day, and is a sliver of all orders ever placed.
            models.Index(
                fields=["due_at"], condition=Q(settled_at__isnull=True), name="payment_details_unsettled"
            ),
            models.Index(fields=["settled_at"], name="payment_details_settled"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(amount_due__gte=0), name="payment_details_due_not_negative"),
            models.CheckConstraint(
                condition=Q(method__in=PaymentMethod.values), name="payment_details_method_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount_due} due"


class PaymentQuerySet(AppendOnlyQuerySet["Payment"]):
    """Payment entries."""

    def net(self) -> Decimal:
        """Return what was received less what was given back."""
        net: Decimal = self.aggregate(net=net_amount())["net"]
        return net


def net_amount() -> Coalesce:
    """Return the aggregate of entries: received less refunded and reversed, to the cent.

    Rounded by the database, so that comparing it with an amount is exact where sums are floating point.
    """
    signed = Case(When(kind=PaymentKind.RECEIVED, then=F("amount")), default=-F("amount"))
    return Coalesce(Round(Sum(signed, output_field=AmountField()), 2), Decimal(0), output_field=AmountField())


class Payment(AppendOnly):
    """One entry: money received for an order, given back, or an entry found to be wrong taken out."""

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=8, choices=PaymentKind, default=PaymentKind.RECEIVED)
    amount = AmountField(validators=[MinValueValidator(CENT)])
    currency = currency_field()
    method = models.CharField(max_length=8, choices=PaymentMethod, default=PaymentMethod.TRANSFER)
    reference = models.CharField(
        max_length=80,
        unique=True,
        help_text="The bank's or gateway's own, so that no payment is entered twice.",
        error_messages={"unique": "A payment with this reference is already entered."},
    )
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    received_at = models.DateTimeField(default=timezone.now, help_text="When the money moved.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ("-received_at", "-id")
        indexes = (
            models.Index(fields=["-received_at", "-id"], name="payment_received"),
            models.Index(fields=["kind", "-received_at"], name="payment_kind_received"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="payment_amount_positive",
                violation_error_message="A payment is an amount above zero.",
            ),
            models.CheckConstraint(condition=Q(kind__in=PaymentKind.values), name="payment_kind_known"),
            models.CheckConstraint(condition=Q(method__in=PaymentMethod.values), name="payment_method_known"),
            models.CheckConstraint(
                condition=~Q(reference=""),
                name="payment_reference_present",
                violation_error_message="A payment needs a reference.",
            ),
            models.CheckConstraint(
                condition=Q(kind=PaymentKind.REVERSED, reverses__isnull=False)
                | (~Q(kind=PaymentKind.REVERSED) & Q(reverses__isnull=True)),
                name="payment_reversal_names_its_entry",
                violation_error_message="A reversal, and only a reversal, names the entry it takes out.",
            ),
            currency_is_known("payment_currency_known"),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.get_kind_display()} ({self.reference})"

    def clean(self) -> None:
        """Hold the entry against its order: one order is paid in one currency."""
        if self.order_id and self.currency != self.order.currency:
            raise ValidationError({"currency": f"The order is in {self.order.currency}."})
