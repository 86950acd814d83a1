"""The lines of an order."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from orders.models.catalogue import Product
from orders.models.money import AmountField, to_cents
from orders.models.orders import Order
from orders.models.saved_whole import SavedWhole


class OrderLine(SavedWhole):
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

    @property
    def discount_percent(self) -> Decimal:
        """The discount as people say it: 15, or 12.5."""
        percent = (self.discount * 100).normalize()
        return percent.quantize(Decimal(1)) if percent == percent.to_integral() else percent

    def complete(self) -> None:
        """Take name and price from the product where the line has none of its own, and compute the total."""
        if self.product:
            self.description = self.description or self.product.name
            self.unit_price = self.product.price if self.unit_price is None else self.unit_price
        if self.unit_price is not None:
            self.total = to_cents(self.quantity * self.unit_price * (1 - self.discount))
