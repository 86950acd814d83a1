"""The catalogue: what the shop sells."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from orders.models.money import AmountField, currency_field, currency_is_known


class Category(models.Model):
    """A part of the catalogue."""

    name = models.CharField(max_length=80, unique=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    """Products."""

    def active(self) -> "ProductQuerySet":
        """Return those that can be ordered now."""
        return self.filter(is_active=True)


class Product(models.Model):
    """Something that can be ordered. An order line remembers the price and name it was sold at."""

    sku = models.CharField("SKU", max_length=40, unique=True)
    name = models.CharField(max_length=200, db_index=True)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    packaging = models.CharField(max_length=80, blank=True, help_text='How it is sold: "10 boxes x 20 bags".')
    price = AmountField(validators=[MinValueValidator(Decimal(0))])
    currency = currency_field()
    is_active = models.BooleanField("can be ordered", default=True, db_index=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(price__gte=0),
                name="product_price_not_negative",
                violation_error_message="A price cannot be negative.",
            ),
            models.CheckConstraint(
                condition=~models.Q(sku=""),
                name="product_sku_present",
                violation_error_message="A product needs an SKU.",
            ),
            currency_is_known("product_currency_known"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"
