"""What the desk may do about the automatic steps to come of an order."""

from collections.abc import Sequence
from typing import ClassVar

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django_celery_results.models import TaskResult
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from orders import timeline
from orders.admin.dialogs import OrderDialog, answer, show
from orders.admin.steps import key_of
from orders.follow_ups import FollowUp
from orders.models import EventKind, User
from scheduling.admin.dialogs import FutureMomentField
from scheduling.cancelling import cancel
from scheduling.exceptions import NotPlanned
from scheduling.periodic_tasks import waiting_one_offs
from scheduling.planning import postpone
from scheduling.templatetags.moments import exact


class StepDialog(OrderDialog):
    """A question about one planned step."""

    button: ClassVar[str]
    kind: str

    @property
    def step(self) -> str:
        """What it is called."""
        return FollowUp(self.kind).label if self.kind in FollowUp.values else self.kind

    @property
    def about(self) -> str:
        """The step, and the order it is planned for."""
        return f"{self.step[:1].upper()}{self.step[1:]} for {super().about}"

    def do(self, by: User) -> str:
        """Change the step, and say so in the timeline."""
        try:
            words = f"{self.step} {self.change(key_of(self.order.pk, self.kind))}"
        except NotPlanned as error:
            raise ValidationError("It no longer waits: it was due, or was called off, just now.") from error
        timeline.record(self.order, EventKind.FOLLOW_UP, words, by=by)
        return words

    def change(self, key: str) -> str:
        """Change what waits under a key; return what was done, in words that follow its name."""
        raise NotImplementedError


class PostponeDialog(StepDialog):
    """Asks for another time."""

    button = "Postpone"
    title = "Do it at another time?"
    submit = "Postpone"

    to = FutureMomentField(label="Do it at", help_text="On the clock of this site. Earlier is fine too.")

    def change(self, key: str) -> str:
        """Move it."""
        postpone(key, to=self.cleaned_data["to"])
        return f"moved to {exact(self.cleaned_data['to'])}"


class DoNowDialog(StepDialog):
    """Asks for a yes."""

    button = "Do now"
    title = "Do it now?"
    submit = "Do it now"
    description = "It is done within a second or two, once a worker is free."

    def change(self, key: str) -> str:
        """Make it due."""
        postpone(key, to=timezone.now())
        return "is to be done now"


class CallOffDialog(StepDialog):
    """Asks why."""

    button = "Cancel"
    title = "Call it off?"
    submit = "Call it off"
    description = "It will not happen by itself. That it was called off, and why, stays known."

    because = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Stands in the order's timeline."
    )

    def change(self, key: str) -> str:
        """Cancel it."""
        because = self.cleaned_data["because"]
        outcome = cancel(key, because=because)[key]
        if not outcome.stopped:
            raise ValidationError(f"It could not be called off: {outcome.words}.")
        return f"called off: {because}"


CHANGES: dict[str, type[StepDialog]] = {
    "postpone": PostponeDialog,
    "do-now": DoNowDialog,
    "call-off": CallOffDialog,
}


class PlannedSteps(ModelAdmin):
    """The dialogs about an order's planned steps."""

    def has_plan_permission(self, request: HttpRequest) -> bool:
        """Whether they may change what is planned for orders."""
        return request.user.has_perm("orders.plan_order")

    def get_urls(self) -> Sequence[URLPattern]:
        """Add an address for each change of each step."""
        route = "<int:object_id>/planned/<path:kind>/<slug:change>/"
        view = self.admin_site.admin_view(self.change_step)
        return [path(route, view, name="orders_order_step"), *super().get_urls()]

    def change_step(self, request: HttpRequest, object_id: int, kind: str, change: str) -> HttpResponse:
        """Ask in a dialog, and change the step when it is answered."""
        if not self.has_plan_permission(request):
            raise PermissionDenied
        if change not in CHANGES or not _is_step(object_id, kind):
            raise Http404("There is no such step, or no such change.")
        form = CHANGES[change](request=request, object_id=object_id, data=request.POST or None)
        form.kind = kind
        return answer(request, form, log=self.log_change) if form.is_valid() else show(request, form)


def _is_step(order_id: int, kind: str) -> bool:
    """Whether a step is, or was, planned under this name: what is gone by now is told in words."""
    key = key_of(order_id, kind)
    return (
        kind in FollowUp.values
        or waiting_one_offs().filter(name=key).exists()
        or TaskResult.objects.filter(periodic_task_name=key).exists()
    )
