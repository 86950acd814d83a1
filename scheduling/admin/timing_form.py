"""When a task runs, asked for in words: every so often, at times on days, at sunrise, once."""

from collections.abc import Callable, Iterable
from datetime import datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils import timezone
from django_celery_beat.models import (
    SOLAR_SCHEDULES,
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from scheduling import crontab
from scheduling.admin.dialogs import LocalMomentField
from scheduling.admin.fields import ChoiceOf, TimesField, offer
from scheduling.schedules import Timing, with_timing

CRONTAB_ORDER = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
"""How people who know cron write its five fields."""

DAYS = [
    ("1", "Mon"), ("2", "Tue"), ("3", "Wed"), ("4", "Thu"), ("5", "Fri"), ("6", "Sat"), ("0", "Sun"),
]  # fmt: skip

EVERY, TIMES, CRON, SUN, ONCE = "every", "times", "cron", "sun", "once"
KINDS = [
    (TIMES, "At times, on days"),
    (EVERY, "Every so often"),
    (SUN, "By the sun"),
    (ONCE, "Once"),
    (CRON, "Crontab"),
]

NEEDED = {
    EVERY: ("every",),
    TIMES: ("times",),
    CRON: ("cron",),
    SUN: ("latitude", "longitude"),
    ONCE: ("at",),
}


class TimingForm(forms.Form):
    """Asks for a schedule; which fields count depends on its kind."""

    kind = forms.ChoiceField(choices=KINDS, widget=forms.RadioSelect, label="How often")

    every = forms.IntegerField(
        min_value=1, max_value=100_000, initial=10, required=False, widget=UnfoldAdminIntegerFieldWidget
    )
    period = ChoiceOf(
        choices=[(one, one) for one in ("seconds", "minutes", "hours", "days")],
        initial="minutes",
        required=False,
        label="Unit",
    )

    times = TimesField(required=False, initial="09:00", label="At", help_text="Several with a comma between.")
    days = forms.MultipleChoiceField(
        choices=DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="On",
        help_text="None ticked: every day.",
    )
    dates = forms.CharField(
        required=False,
        label="Only on these dates of the month",
        widget=UnfoldAdminTextInputWidget({"placeholder": "1, 15"}),
    )

    cron = forms.CharField(
        required=False,
        label="Crontab",
        widget=UnfoldAdminTextInputWidget({"placeholder": "0 9 * * mon-fri", "spellcheck": "false"}),
        help_text="Minute, hour, day of the month, month, day of the week.",
    )

    event = ChoiceOf(choices=SOLAR_SCHEDULES, initial="sunrise", required=False, label="At")
    latitude = forms.DecimalField(
        required=False,
        min_value=-90,
        max_value=90,
        max_digits=9,
        decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget({"step": "any"}),
        help_text="Degrees; south is negative.",
    )
    longitude = forms.DecimalField(
        required=False,
        min_value=-180,
        max_value=180,
        max_digits=9,
        decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget({"step": "any"}),
        help_text="Degrees; west is negative.",
    )

    at = LocalMomentField(required=False, label="At")

    zone = forms.ChoiceField(
        label="Time zone", widget=UnfoldAdminSelectWidget, help_text="On whose clock all times here are."
    )
    starts_at = LocalMomentField(required=False, label="Not before")
    ends_at = LocalMomentField(required=False, label="Not after")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "zone", _offered_zones(self.initial["zone"]))
        self.timing: Timing | None = None

    def _clean_fields(self) -> None:
        # What was typed is on the schedule's clock, not on the reader's.
        with timezone.override(self._zone()):
            super()._clean_fields()  # type: ignore[misc]

    def _zone(self) -> ZoneInfo:
        return crontab.zone_named(self.data.get(self.add_prefix("zone"), "")) or ZoneInfo("UTC")

    def clean(self) -> dict[str, Any]:
        """Hold what was typed against the kind that was chosen, and build its schedule."""
        typed = self.cleaned_data
        kind = typed.get("kind", "")
        for name in NEEDED.get(kind, ()):
            if name not in self.errors and typed.get(name) in (None, "", []):
                self.add_error(name, "This is needed.")
        if (typed.get("ends_at") and typed.get("starts_at")) and typed["ends_at"] <= typed["starts_at"]:
            self.add_error("ends_at", "The end is not after the start.")
        self._forgive_other_kinds(kind)
        if not self.errors and kind != ONCE:
            self.timing = _BUILDERS[kind](self)
        return typed

    def _forgive_other_kinds(self, kind: str) -> None:
        """Drop complaints about fields that are not shown."""
        for other, names in _FIELDS_OF.items():
            for name in names if other != kind else ():
                self.errors.pop(name, None)

    def build(self, periodic_task: PeriodicTask) -> PeriodicTask:
        """Give an unsaved periodic task what was typed, so that its runs can be computed."""
        periodic_task.start_time = self.cleaned_data["starts_at"]
        periodic_task.expires = self.cleaned_data["ends_at"]
        if self.timing:
            return with_timing(periodic_task, self.timing)
        periodic_task.clocked = ClockedSchedule(clocked_time=self.cleaned_data["at"])
        periodic_task.one_off = True
        return periodic_task

    @property
    def schedule(self) -> Timing:
        """What was typed as a schedule, of a valid form that is not about a single time."""
        if self.timing is None:
            raise ValueError("a single time is no schedule")
        return self.timing

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone that was chosen."""
        return ZoneInfo(self.cleaned_data["zone"])

    def _interval(self) -> IntervalSchedule:
        return IntervalSchedule(every=self.cleaned_data["every"], period=self.cleaned_data["period"])

    def _at_times(self) -> CrontabSchedule | None:
        typed = self.cleaned_data
        return self._crontab(
            {
                "minute": _listed(at.minute for at in typed["times"]),
                "hour": _listed(at.hour for at in typed["times"]),
                "day_of_week": ",".join(sorted(typed["days"])) or "*",
                "day_of_month": typed["dates"] or "*",
                "month_of_year": "*",
            },
            {"day_of_month": "dates"},
        )

    def _cron(self) -> CrontabSchedule | None:
        parts = self.cleaned_data["cron"].split()
        if len(parts) != len(CRONTAB_ORDER):
            self.add_error("cron", f"A crontab has five fields with a space between, not {len(parts)}.")
            return None
        return self._crontab(dict(zip(CRONTAB_ORDER, parts, strict=True)), {})

    def _crontab(self, columns: dict[str, str], shown_in: dict[str, str]) -> CrontabSchedule | None:
        schedule = CrontabSchedule(**columns, timezone=self.zone_info)
        try:
            crontab.validate(schedule)
        except crontab.InvalidCrontab as error:
            for column, words in error.faults.items():
                self.add_error(shown_in.get(column, self.cleaned_data["kind"]), words)
            return None
        return schedule

    def _solar(self) -> SolarSchedule:
        typed = self.cleaned_data
        return SolarSchedule(event=typed["event"], latitude=typed["latitude"], longitude=typed["longitude"])


_BUILDERS: dict[str, Callable[[TimingForm], Timing | None]] = {
    EVERY: TimingForm._interval,
    TIMES: TimingForm._at_times,
    CRON: TimingForm._cron,
    SUN: TimingForm._solar,
}
_FIELDS_OF = {
    EVERY: ("every", "period"),
    TIMES: ("times", "days", "dates"),
    CRON: ("cron",),
    SUN: ("event", "latitude", "longitude"),
    ONCE: ("at",),
}


def initial_timing(periodic_task: PeriodicTask, *, kind: str) -> dict[str, Any]:
    """Return what the form shows for a schedule: of the given kind, if it is new."""
    schedule = periodic_task.scheduler
    zone = str(getattr(schedule, "timezone", "") or timezone.get_current_timezone_name())
    shown: dict[str, Any] = {
        "zone": zone,
        "starts_at": _on_clock(periodic_task.start_time, zone),
        "ends_at": _on_clock(periodic_task.expires, zone),
    }
    match schedule:
        case IntervalSchedule():
            return shown | {"kind": EVERY, "every": schedule.every, "period": schedule.period}
        case SolarSchedule():
            place = {"latitude": schedule.latitude, "longitude": schedule.longitude}
            return shown | {"kind": SUN, "event": schedule.event, **place}
        case CrontabSchedule():
            return shown | _initial_crontab(schedule)
    return shown | {"kind": kind}


def _initial_crontab(schedule: CrontabSchedule) -> dict[str, Any]:
    """Return it as times on days where it is no more than that, and else as a crontab."""
    as_cron = {"kind": CRON, "cron": " ".join(getattr(schedule, column) for column in CRONTAB_ORDER)}
    try:
        read = crontab.parse(schedule)
    except crontab.InvalidCrontab:
        return as_cron
    if read.has_star or len(read.month_of_year) < 12 or len(read.hour) * len(read.minute) > 6:
        return as_cron
    return {
        "kind": TIMES,
        "times": sorted(time(hour, minute) for hour in read.hour for minute in read.minute),
        "days": [str(day) for day in sorted(read.day_of_week)] if len(read.day_of_week) < 7 else [],
        "dates": _listed(sorted(read.day_of_month)) if len(read.day_of_month) < 31 else "",
        "cron": as_cron["cron"],
    }


def _on_clock(moment: datetime | None, zone: str) -> str:
    """Return a moment as the browser's picker shows it, on the schedule's clock."""
    there = crontab.zone_named(zone) or timezone.get_current_timezone()
    return moment.astimezone(there).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(str(number) for number in sorted(set(numbers)))


def _offered_zones(own: str) -> list[tuple[str, str]]:
    """Return the zones to choose from, with its own; an unknown one must be given up for another."""
    offered = [(name, _place(name)) for name in _zones()]
    if crontab.zone_named(own) is None:
        return [("", f"{own} is not known here: choose another"), *offered]
    return offered if own in _zones() else [(own, _place(own)), *offered]


@cache
def _zones() -> list[str]:
    """Return the zones that are places, by place, after UTC."""
    places = [name for name in available_timezones() if "/" in name and not name.startswith("Etc/")]
    return ["UTC", *sorted(places, key=_place)]


def _place(zone: str) -> str:
    """Return "Berlin, Europe": who looks for a zone types its place."""
    area, _, place = zone.rpartition("/")
    return f"{place}, {area}".replace("_", " ") if area else zone
