from datetime import timedelta

import pytest
from django.utils import timezone

from orders import pruning
from orders.models import EventKind, OrderEvent
from tests.factories import make_order

pytestmark = pytest.mark.django_db


def test_events_are_pruned_in_batches_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    order, now = make_order(), timezone.now()
    order.events.all().delete()
    for days in range(5):
        order.events.create(kind=EventKind.NOTE, words=f"{days}", at=now - timedelta(days=days))
    assert list(pruning.prune_events(before=now - timedelta(days=1, hours=12))) == [2, 3]
    assert set(OrderEvent.objects.values_list("words", flat=True)) == {"0", "1"}
