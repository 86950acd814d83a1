"""Workers and schedulers that have just given a sign of life."""

from typing import Any

from django.utils import timezone

from scheduling.models import Process


def make_process(kind: str, **fields: Any) -> Process:
    now = timezone.now()
    defaults: dict[str, Any] = {
        "name": f"{kind}@host",
        "started_at": now,
        "seen_at": now,
        "hostname": "host",
        "pid": 1,
        "queues": ["celery"] if kind == "worker" else [],
    }
    return Process.objects.create(kind=kind, **{**defaults, **fields})
