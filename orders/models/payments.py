"""Payments: what an order's customer has to pay by when, and the entries of what was paid."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Sum, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Round
from django.utils import timezone

from orders.models.append_only import AppendOnly, AppendOnlyQuerySet
from orders.models.money import CENT, NOTHING, AmountField, currency_field, currency_is_known
from orders.models.saved_whole import SavedWhole


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
    PARTLY_REFUNDED = "partly_refunded", "partly refunded"
    REFUNDED = "refunded", "refunded"

    @classmethod
    def derived(cls, *, due: Decimal, paid: Decimal, refunded: Decimal) -> "PaymentState":
        """Derive the state from what is due, what was paid, and what of it was given back."""
        if 0 < paid <= refunded:
            return cls.REFUNDED
        if paid - refunded > due:
            return cls.OVERPAID
        if due == 0:
            return cls.NOTHING_DUE
        if paid >= due:
            return cls.PARTLY_REFUNDED if paid - refunded < due else cls.PAID
        return cls.PARTLY_PAID if paid > 0 else cls.UNPAID


class OrderPaymentDetails(SavedWhole):
    """What is to be paid for an order, and until when. Made together with the order."""

    order = models.OneToOneField(
        "orders.Order", on_delete=models.CASCADE, primary_key=True, related_name="payment_details"
    )
    method = models.CharField(max_length=8, choices=PaymentMethod, default=PaymentMethod.TRANSFER)
    terms_days = models.PositiveSmallIntegerField(help_text="Days from the order to its due date.")
    due_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="So many days after the order was placed. Empty: it is a draft.",
    )
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the details with the due date computed."""
        self.complete()
        super().save(*args, **kwargs)

    def complete(self) -> None:
        """Compute the due date from the terms."""
        placed_at = self.order.placed_at
        self.due_at = placed_at and placed_at + timedelta(days=self.terms_days)


def paid_amount() -> Coalesce:
    """Return the aggregate of what was received, less what was reversed."""
    return _amount(received=F("amount"), reversed=-F("amount"))


def refunded_amount() -> Coalesce:
    """Return the aggregate of what was refunded."""
    return _amount(refunded=F("amount"))


def _amount(**signed: Combinable) -> Coalesce:
    """Return the sum of entries, by kind, to the cent.

    Rounded by the database, so that comparing it with an amount is exact where sums are floating point.
    """
    cases = [When(kind=kind, then=amount) for kind, amount in signed.items()]
    total = Sum(Case(*cases, default=NOTHING), output_field=AmountField())
    return Coalesce(Round(total, 2), NOTHING, output_field=AmountField())


class Payment(AppendOnly, SavedWhole):
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

    objects = AppendOnlyQuerySet["Payment"].as_manager()

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
        """Hold the entry against its order, which is paid in one currency, and what it reverses."""
        if not self.order_id:
            return
        if self.currency != self.order.currency:
            raise ValidationError({"currency": f"The order is in {self.order.currency}."})
        wrong = self.reverses
        if wrong and (wrong.order_id, wrong.amount, wrong.kind) != (
            self.order_id,
            self.amount,
            PaymentKind.RECEIVED,
        ):
            raise ValidationError("Only a payment received can be reversed, for the same order and amount.")
