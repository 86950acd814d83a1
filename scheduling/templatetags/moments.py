"""Moments and durations as people say them."""

from datetime import datetime, timedelta

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@register.filter
def duration(seconds: float | timedelta) -> str:
    """Return "0.3 s", "40 s", "5 min", "2 h 5 min", "3 days"."""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    left = round(seconds)
    for index, (unit, size) in enumerate(_UNITS):
        count, rest = divmod(left, size)
        if count:
            words = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            if unit == "h" and (minutes := rest // 60) and count < 10:
                words += f" {minutes} {_UNITS[index + 1][0]}"
            return words
    return "0 s"


@register.filter
def relative(moment: datetime) -> str:
    """Return "in 40 s" or "3 h ago"."""
    seconds = round((moment - timezone.now()).total_seconds())
    if seconds == 0:
        return "now"
    return f"in {duration(seconds)}" if seconds > 0 else f"{duration(-seconds)} ago"


@register.filter
def exact(moment: datetime) -> str:
    """Return "Mon 23 Nov 2026 09:00:00 UTC" on the reader's clock."""
    local = timezone.localtime(moment)
    return f"{dateformat.format(local, 'D j M Y H:i:s')} {local.tzname()}"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Return a `<time>` that shows how far a moment is, and the exact one on hover."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), relative(moment)
    )


@register.filter
def countdown(moment: datetime) -> SafeString:
    """Return a `<time>` like `ago`, whose words go on while the page is open."""
    left = (moment - timezone.now()).total_seconds()
    return format_html(
        '<time datetime="{}" title="{}" data-countdown="{}">{}</time>',
        moment.isoformat(),
        exact(moment),
        f"{left:.1f}",
        relative(moment),
    )


@register.filter
def clock(moment: datetime | None) -> SafeString | str:
    """Return a `<time>` that shows the second, and the exact moment on hover."""
    if moment is None:
        return ""
    shown = dateformat.format(timezone.localtime(moment), "j M H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), shown)


@register.filter
def brief(moment: datetime) -> str:
    """Return "09:00" for today, and else "Mon 23 Nov 09:00", with the year if it is not this one."""
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return f"{local:%H:%M}"
    return dateformat.format(local, "D j M H:i" if local.year == today.year else "D j M Y H:i")
