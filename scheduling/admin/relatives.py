"""The runs a run has to do with: what it repeats, what published it, what it published, its group."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.safestring import SafeString

from scheduling.admin.states import state_badge
from scheduling.catalogue import words_of
from scheduling.models import Run

AT_MOST = 50


@dataclass(frozen=True)
class Relative:
    """Another run, and what it is to this one."""

    kinship: str
    words: str
    url: str
    badge: SafeString


def relatives_of(run: Run) -> list[Relative]:
    """Return a run's relatives, oldest first, in one query."""
    wanted = Q(parent_id=run.pk)
    for known in filter(None, (run.again_of, run.again_as, run.parent_id, run.waits_for)):
        wanted |= Q(pk=known)
    if run.group_id:
        wanted |= Q(group_id=run.group_id)
    found = Run.objects.filter(wanted).exclude(pk=run.pk).select_related("task_result").order_by("due_at")
    return [_relative(run, other) for other in found[:AT_MOST]]


def _relative(run: Run, other: Run) -> Relative:
    return Relative(
        kinship=_kinship(run, other),
        words=words_of(other.task_result.task_name),
        url=reverse("admin:django_celery_results_taskresult_change", args=[other.pk]),
        badge=state_badge(other.task_result),
    )


def _kinship(run: Run, other: Run) -> str:
    known = {
        run.again_of: "repeats",
        run.again_as: "repeated as",
        run.parent_id: "published by",
        run.waits_for: "waits for",
    }
    if other.pk in known:
        return known[other.pk]
    return "published" if other.parent_id == run.pk else "same group"
