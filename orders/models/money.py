"""Money: a Decimal with two places, and an ISO 4217 currency beside it."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


class Currency(models.TextChoices):
    """The currencies the shop trades in, by their ISO 4217 codes.

    Only such with two decimals: every amount is stored to the cent.
    """

    EUR = "EUR", "EUR"
    USD = "USD", "USD"
    GBP = "GBP", "GBP"
    CHF = "CHF", "CHF"
    SEK = "SEK", "SEK"
    NOK = "NOK", "NOK"
    DKK = "DKK", "DKK"
    PLN = "PLN", "PLN"
    CZK = "CZK", "CZK"
    CAD = "CAD", "CAD"
    AUD = "AUD", "AUD"


def to_cents(amount: Decimal) -> Decimal:
    """Round an amount to the cent, half a cent away from zero (commercial rounding)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """An amount of money: up to 9,999,999,999.99.

    Sums and differences of amounts come out with two places too, also where the database computes
    them in floating point, as SQLite does.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_digits", 12)
        options.setdefault("decimal_places", 2)
        super().__init__(*args, **options)

    def from_db_value(self, value: Decimal | None, *_: Any) -> Decimal | None:
        """Return the amount to the cent."""
        return None if value is None else to_cents(value)


def currency_field() -> "models.CharField[str, str]":
    """Return a field for a currency."""
    return models.CharField(max_length=3, choices=Currency, default=Currency.EUR)


def currency_is_known(name: str) -> models.CheckConstraint:
    """Return a constraint that keeps `currency` among the known ones."""
    return models.CheckConstraint(
        condition=models.Q(currency__in=Currency.values),
        name=name,
        violation_error_message="This currency is not one the shop trades in.",
    )
