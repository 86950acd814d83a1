"""Keeping the timeline bounded."""

from collections.abc import Iterator
from datetime import datetime

from orders.models import OrderEvent

BATCH = 1_000


def prune_events(*, before: datetime) -> Iterator[int]:
    """Delete timeline entries older than a time, in batches of one short transaction each.

    Yields:
        How many are deleted so far.
    """
    done = 0
    old = OrderEvent.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)
    while batch := list(old[:BATCH]):
        deleted, _ = OrderEvent.objects.filter(pk__in=batch).delete()
        done += deleted
        yield done
