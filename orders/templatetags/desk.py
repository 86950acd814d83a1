"""How the order desk writes money, in templates and in the admin's columns."""

from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.models import Order, PaymentState

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


@register.filter
def payment_words(order: Order) -> SafeString:
    """Say how an order stands, in amber where a person should look."""
    state = order.payment_state
    overdue = order.payment_details.due_at and order.is_overdue(timezone.now())
    needs_you = overdue or state in (PaymentState.PARTLY_PAID, PaymentState.OVERPAID)
    words = f"{state.label}, overdue" if overdue else state.label
    return format_html('<span class="{}">{}</span>', "needs-you" if needs_you else "", words)
