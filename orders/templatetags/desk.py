"""How the order desk writes money, in templates and in the admin's columns."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> SafeString:
    """Write an amount with its currency: "1,234.50 EUR"."""
    return format_html('<span class="amount">{} <small>{}</small></span>', f"{amount:,.2f}", currency)


@register.filter
def change(now: Decimal | int, before: Decimal | int) -> str:
    """Say how a figure compares with the one of the period before."""
    if now == before:
        return "as before"
    if not before:
        return "none before"
    percent = round(100 * (now - before) / before)
    return f"{'↑' if now > before else '↓'} {abs(percent):,} % on the period before"
