"""The counts beside the sidebar's links. They stand on every page, so they are capped and kept a while."""

from datetime import timedelta
from typing import Any

from celery import states
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.periodic_tasks import waiting_one_offs

KEPT_SECONDS = 20
MOST = 99


def failed() -> str:
    """Return how many runs failed in the last day."""
    since = timezone.now() - timedelta(days=1)
    return _badge("failed", TaskResult.objects.filter(status=states.FAILURE, date_done__gte=since))


def planned() -> str:
    """Return how many delayed tasks wait for their time."""
    return _badge("planned", waiting_one_offs())


def _badge(name: str, rows: QuerySet[Any]) -> str:
    """Return a count in words, none for zero, counted no further than it is shown."""
    key = f"badge:{name}"
    words = cache.get(key)
    if words is None:
        count = rows.order_by()[: MOST + 1].count()
        words = "" if not count else f"{MOST}+" if count > MOST else str(count)
        cache.set(key, words, KEPT_SECONDS)
    return str(words)
