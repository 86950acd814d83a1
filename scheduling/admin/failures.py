"""Failures by cause, and what is being run again because of them."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from celery import states
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.generic import View

from scheduling.admin.run_buttons import ActionButton, action_address
from scheduling.admin.run_verbs import ACTIONS
from scheduling.admin.task_result_filters import PERIODS
from scheduling.catalogue import words_of
from scheduling.failures import FailureGroup, group_failures
from scheduling.models import Rerun, Run
from scheduling.runs import UNFINISHED
from scheduling.subjects import Subject, describe

PERIOD = "7d"
RERUNS_SHOWN = 5


@dataclass(frozen=True)
class FailureRow:
    """One cause as the page shows it."""

    group: FailureGroup
    words: str
    url: str
    subjects: list[Subject]
    more_subjects: int
    actions: list[ActionButton]


@dataclass(frozen=True)
class RerunRow:
    """One rerun as the page shows it: how many of it are done, failed, waiting."""

    rerun: Rerun
    done: int
    failed: int
    left: int
    halt: ActionButton | None

    @property
    def percent(self) -> int:
        """How much of it has ended."""
        return 100 * (self.rerun.total - self.left) // self.rerun.total if self.rerun.total else 100


class FailuresView(View):
    """The page of failures by cause: a number of queries that does not depend on how many there are."""

    model_admin: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the page."""
        if not self.model_admin.has_view_permission(request):
            raise PermissionDenied
        period = request.GET.get("period", PERIOD)
        period = period if period in PERIODS else PERIOD
        _, length = PERIODS[period]
        context = {
            **self.model_admin.admin_site.each_context(request),
            "opts": self.model_admin.opts,
            "title": "Failures by cause",
            "media": self.model_admin.media,
            "rows": self._rows(request, group_failures(since=timezone.now() - length)),
            "reruns": self._reruns(request),
            "periods": [
                {"title": title, "address": f"?period={value}", "active": value == period}
                for value, (title, _) in PERIODS.items()
            ],
        }
        return TemplateResponse(request, "scheduling/failures.html", context)

    def _rows(self, request: HttpRequest, groups: list[FailureGroup]) -> list[FailureRow]:
        subjects = describe(name for group in groups for name in group.subjects)
        return [
            FailureRow(
                group=group,
                words=words_of(group.task_name),
                url=_list_address(group),
                subjects=[subjects[name] for name in group.subjects],
                more_subjects=group.subject_count - len(group.subjects),
                actions=list(_actions(request, group)),
            )
            for group in groups
        ]

    def _reruns(self, request: HttpRequest) -> list[RerunRow]:
        reruns = list(Rerun.objects.exclude(total=0).order_by("-started_at")[:RERUNS_SHOWN])
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        found = Run.objects.filter(rerun__in=reruns).values_list("rerun", "task_result__status")
        for rerun, status, count in found.annotate(count=Count("pk")):
            counts[rerun or 0][status] = count
        may_halt = request.user.has_perm(ACTIONS["halt"].permission)
        return [_rerun_row(rerun, counts[rerun.pk], may_halt) for rerun in reruns]


def _rerun_row(rerun: Rerun, counts: dict[str, int], may_halt: bool) -> RerunRow:
    address = f"{action_address('halt')}?rerun={rerun.pk}"
    waiting = counts.get(states.PENDING, 0)
    return RerunRow(
        rerun=rerun,
        done=counts.get(states.SUCCESS, 0),
        failed=counts.get(states.FAILURE, 0),
        left=sum(counts.get(status, 0) for status in UNFINISHED),
        halt=ActionButton("Halt", address, f"Halt {rerun.words}") if may_halt and waiting else None,
    )


def _actions(request: HttpRequest, group: FailureGroup) -> list[ActionButton]:
    if not request.user.has_perm(ACTIONS["run-again"].permission):
        return []
    about = f"{words_of(group.task_name)}, {group.error}"
    one = urlencode({"_selected_action": group.newest_id, "one": 1})
    rest = urlencode({"cause": group.cause, "state": "failed"})
    address = action_address("run-again")
    return [
        ActionButton("Retry one", f"{address}?{one}", f"Retry one: {about}"),
        ActionButton("Retry the rest", f"{address}?{rest}", f"Retry the rest: {about}"),
    ]


def _list_address(group: FailureGroup) -> str:
    address = reverse("admin:django_celery_results_taskresult_changelist")
    return f"{address}?{urlencode({'cause': group.cause, 'state': 'failed'})}"
