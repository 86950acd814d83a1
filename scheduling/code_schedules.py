"""The recurring schedules that the settings define: `CELERY_BEAT_SCHEDULE`."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from scheduling.models import Recurrence
from scheduling.schedules import POLICIES

RETIRED = "taken out of the code"


@transaction.atomic
def sync_code_schedules(entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Bring the schedules defined in code up to date; whether they are paused stays staff's.

    One that was taken out of the code is retired: paused, its history kept, until it is put back.

    Args:
        entries: Celery's `beat_schedule`; besides its own keys, `description` and the policies
            `late_by_seconds`, `overlap` and `spread_seconds`.
    """
    for name, entry in entries.items():
        _sync(name, dict(entry))
    gone = Recurrence.objects.filter(in_code=True).exclude(periodic_task__name__in=entries)
    PeriodicTask.objects.filter(recurrence__in=gone, enabled=True).update(
        enabled=False, date_changed=timezone.now()
    )
    gone.update(
        in_code=False,
        retired_at=timezone.now(),
        pause_reason=RETIRED,
        paused_until=None,
        next_due_at=None,
    )


def _sync(name: str, entry: dict[str, Any]) -> None:
    policies = {key: entry.pop(key) for key in POLICIES if key in entry}
    fields = ModelEntry._unpack_fields(**entry)
    if Recurrence.objects.filter(periodic_task__name=name, retired_at__isnull=False).exists():
        fields["enabled"] = True
        policies |= {"retired_at": None, "pause_reason": ""}
    periodic_task, _ = PeriodicTask.objects.update_or_create(name=name, defaults=fields)
    Recurrence.objects.update_or_create(periodic_task=periodic_task, defaults={"in_code": True, **policies})
