"""The form of one schedule: what runs, with what arguments, when, and what if something is in the way."""

import json
from collections.abc import Iterable
from typing import Any

from celery.app.task import Task
from django import forms
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from scheduling import catalogue, subjects
from scheduling.admin.argument_forms import ArgumentForm
from scheduling.admin.fields import ChoiceOf, offer
from scheduling.admin.timing_form import KINDS, ONCE, TIMES, TimingForm, initial_timing
from scheduling.exceptions import AlreadyRan
from scheduling.models import DelayedTask, Recurrence, RecurringTask
from scheduling.planning import KEY_LENGTH, plan
from scheduling.schedules import Policies, save_schedule
from scheduling.templatetags.moments import duration

LATE = (60, 300, 900, 3_600, 21_600, 86_400)
SPREADS = (60, 300, 900, 3_600)


class WhatForm(forms.Form):
    """Asks which task, and what staff call its schedule."""

    name = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget({"placeholder": "Sales report to finance"}),
        help_text="What you call it. No two schedules share a name.",
    )
    task = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    description = forms.CharField(required=False, label="Why", widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, known: PeriodicTask, **options: Any) -> None:
        """Take the schedule that is edited, saved or not."""
        super().__init__(*args, **options)
        self.known = known
        offered = [(name, catalogue.words_of(name)) for name in catalogue.schedulable_tasks()]
        offer(self, "task", [("", "Choose a task"), *offered])
        arguments_url = reverse("admin:scheduling_recurringtask_arguments")
        self.fields["task"].widget.attrs |= {
            "hx-get": f"{arguments_url}?pk={known.pk or ''}",
            "hx-target": "#arguments",
            "hx-trigger": "change",
        }

    def clean_name(self) -> str:
        """Return a name that nothing else has."""
        name: str = self.cleaned_data["name"]
        if PeriodicTask.objects.filter(name=name).exclude(pk=self.known.pk).exists():
            raise forms.ValidationError("Another schedule has this name.", code="taken")
        return name


class PolicyForm(forms.Form):
    """Asks what to do when something is in the way of a run."""

    late_by_seconds = ChoiceOf(choices=(), coerce=int, required=False, label="When a run is late")
    overlap = ChoiceOf(choices=(), label="When the last run is still going")
    spread_seconds = ChoiceOf(choices=(), coerce=int, label="Start")

    def __init__(self, data: Any = None, *, rules: Recurrence) -> None:
        """Take what is typed, and the policies so far."""
        initial = {name: getattr(rules, name) for name in ("late_by_seconds", "overlap", "spread_seconds")}
        super().__init__(data, initial=initial)
        late = _with(LATE, rules.late_by_seconds)
        spread = _with(SPREADS, rules.spread_seconds)
        offer(
            self,
            "late_by_seconds",
            [
                ("", "run it however late"),
                *((one, f"run it if at most {duration(one)} late, else leave it out") for one in late),
            ],
        )
        offer(self, "overlap", Recurrence.Overlap.choices)
        offer(
            self,
            "spread_seconds",
            [
                (0, "at once when it is due"),
                *((one, f"somewhere within {duration(one)} after it is due") for one in spread if one),
            ],
        )

    @property
    def policies(self) -> Policies:
        """Return what was chosen."""
        return Policies(**self.cleaned_data)


def _with(usual: Iterable[int], own: int | None) -> list[int]:
    return sorted({*usual, own}) if own else list(usual)


class ScheduleForm:
    """The four forms that one page shows, as one."""

    def __init__(self, periodic_task: PeriodicTask, data: Any = None, *, kind: str = "") -> None:
        """Take the schedule to edit, saved or not, what was typed, and the kind of a new one."""
        self.periodic_task = periodic_task
        rules = getattr(periodic_task, "recurrence", None) or Recurrence()
        basics = {name: getattr(periodic_task, name) for name in ("name", "task", "description")}
        self.what = WhatForm(data, known=periodic_task, initial=basics)
        self.timing = TimingForm(data, initial=initial_timing(periodic_task, kind=kind or TIMES))
        if periodic_task.pk:
            offer(self.timing, "kind", [kind for kind in KINDS if kind[0] != ONCE])
        self.policy = PolicyForm(data, rules=rules)
        self.arguments = self._argument_form(data)

    def _argument_form(self, data: Any) -> ArgumentForm | None:
        task = self.task
        if task is None:
            return None
        same = task.name == self.periodic_task.task
        kwargs = json.loads(self.periodic_task.kwargs or "{}") if same else {}
        return ArgumentForm(task, data, kwargs=kwargs)

    @property
    def task(self) -> Task | None:
        """The task that is chosen, if it is in the catalogue."""
        return catalogue.schedulable_tasks().get(self.what["task"].value() or "")

    @property
    def touches(self) -> str:
        """What the chosen task changes or reaches outside, in words."""
        return str(self.task.touches) if self.task else ""

    @property
    def forms(self) -> list[forms.Form]:
        """The forms that there are."""
        return [form for form in (self.what, self.arguments, self.timing, self.policy) if form is not None]

    @property
    def errors(self) -> list[Any]:
        """Every complaint with its field, in the order of the page."""
        return [(form[name], words) for form in self.forms for name, words in form.errors.items()]

    def is_valid(self) -> bool:
        """Whether all of it can be saved."""
        # Each is asked, so that each shows what is wrong with it.
        valid = [form.is_valid() for form in self.forms]
        return all(valid) and self.arguments is not None

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments that were typed, as JSON can hold them."""
        return self.arguments.kwargs if self.arguments else {}

    @property
    def is_once(self) -> bool:
        """Whether it is to run a single time."""
        return bool(self.timing.cleaned_data["kind"] == ONCE)

    def save(self, *, by: str) -> PeriodicTask | None:
        """Save the schedule, or plan the single run.

        Args:
            by: who does.

        Returns:
            The schedule or the delayed task; nothing if the name cannot be used, which the form says.
        """
        typed = self.what.cleaned_data
        if self.is_once:
            return self._plan(typed, by=by)
        schedule = RecurringTask.objects.filter(pk=self.periodic_task.pk).first() or RecurringTask()
        for name, value in typed.items():
            setattr(schedule, name, value)
        schedule.start_time = self.timing.cleaned_data["starts_at"]
        schedule.expires = self.timing.cleaned_data["ends_at"]
        return save_schedule(
            schedule, timing=self.timing.schedule, kwargs=self.kwargs, policies=self.policy.policies
        )

    def _plan(self, typed: dict[str, Any], *, by: str) -> PeriodicTask | None:
        task = catalogue.schedulable_task(typed["task"])
        key = "/".join(filter(None, (subjects.of_arguments(task, self.kwargs), typed["name"])))
        if len(key) > KEY_LENGTH:
            self.what.add_error("name", f"This name is {len(key) - KEY_LENGTH} characters too long.")
            return None
        try:
            is_new = plan(
                key,
                task,
                at=self.timing.cleaned_data["at"],
                kwargs=self.kwargs,
                reason=": ".join(filter(None, (typed["name"], typed["description"]))),
                planned_by=by,
            )
        except AlreadyRan:
            self.what.add_error("name", "Something of this name has run already. Give it another name.")
            return None
        if not is_new:
            self.what.add_error("name", "Something of this name waits already. Give it another name.")
            return None
        return DelayedTask.objects.get(name=key)

    def sketch(self) -> PeriodicTask | None:
        """Return an unsaved periodic task with the timing that was typed, if that is complete."""
        if not self.timing.is_valid():
            return None
        name = self.what["name"].value() or ""
        return self.timing.build(PeriodicTask(name=name, date_changed=timezone.now()))
