"""How the order desk writes money and moments, in templates and in the admin's columns."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> SafeString:
    """Write an amount with its currency: "1,234.50 EUR"."""
    return format_html('<span class="amount">{} <small>{}</small></span>', f"{amount:,.2f}", currency)


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Write a time relative to now, the exact one on hover; a dash for none."""
    if at is None:
        return "–"
    exact = date_format(timezone.localtime(at), "D j M Y, H:i:s T")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, relative(at))


@register.filter
def clock(at: datetime) -> str:
    """Write the time of day, and the day where it is not today."""
    local, today = timezone.localtime(at), timezone.localdate()
    if local.date() == today:
        return date_format(local, "H:i")
    return date_format(local, "j M, H:i" if local.year == today.year else "j M Y, H:i")


@register.filter
def change(now: Decimal | int, before: Decimal | int) -> str:
    """Say how a figure compares with the one of the period before."""
    if now == before:
        return "as before"
    if not before:
        return "none before"
    percent = round(100 * (now - before) / before)
    return f"{'↑' if now > before else '↓'} {abs(percent):,} % on the period before"


def relative(at: datetime) -> str:
    """Say how far a time is from now, in its largest unit: "in 2 days", "3 hours ago"."""
    now = timezone.now()
    if abs((at - now).total_seconds()) < 60:
        return "in a moment" if at > now else "just now"
    return f"in {timeuntil(at, now, depth=1)}" if at > now else f"{timesince(at, now, depth=1)} ago"
