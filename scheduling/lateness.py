"""Why work that is due has not been taken up yet."""

from datetime import datetime, timedelta

from scheduling.models import Process
from scheduling.templatetags.moments import relative

SILENT_AFTER = timedelta(seconds=15)


def why_late(*, now: datetime) -> str:
    """Return, in words, why something that is due still waits to be claimed by a scheduler."""
    newest = Process.objects.filter(kind=Process.Kind.SCHEDULER).order_by("-seen_at").first()
    if newest is None:
        return "no scheduler is running"
    if newest.seen_at < now - SILENT_AFTER:
        return f"the scheduler was last seen {relative(newest.seen_at)}"
    return "the scheduler is working through what is due"
