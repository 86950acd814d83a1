"""P8, P9: everything was down for hours, and clocks that change, in time that is handed in.

No process runs here: what a scheduler does at a moment is called with that moment, days in seconds.
What it should have done comes from an oracle that shares no code with it.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.definitions import follow_edits
from scheduling.handover import LEASE
from scheduling.models import Recurrence, Run
from scheduling.recurring import claim_occurrences
from tests.faults.effects.tasks import leave_effect
from tests.faults.oracle import Cron, every
from tests.faults.stage import Stage

HOUR = timedelta(hours=1)
DOWN = (timedelta(minutes=30), timedelta(hours=4), timedelta(days=3))
LATE_BY = (None, 600, 3600)
STEP = timedelta(minutes=5)
"""Between two looks of the scheduler; every schedule here is due at a multiple of it."""

WEEKENDS = (
    ("Europe/Berlin", datetime(2026, 3, 28)),  # noqa: DTZ001
    ("Europe/Berlin", datetime(2026, 10, 24)),  # noqa: DTZ001
    ("America/New_York", datetime(2026, 3, 7)),  # noqa: DTZ001
    ("America/New_York", datetime(2026, 10, 31)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2026, 4, 4)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2026, 10, 3)),  # noqa: DTZ001
)
"""Saturdays before the clocks change on Sunday, local."""

CRONTABS = (
    ("0", "*", "*"),
    ("*/15", "*", "*"),
    ("*/10", "2", "*"),
    ("30", "2", "*"),
    ("30", "1,2,3", "*"),
    ("0", "0", "*"),
    ("0", "4", "*"),
    ("15", "*/2", "*"),
    ("0", "2", "0"),
    ("0", "9", "1-5"),
)

type Between = Callable[[datetime, datetime], set[datetime]]


@dataclass
class World:
    """Schedules in the database, and for each what the oracle says of it."""

    begin: datetime
    oracles: dict[str, Between] = field(default_factory=dict)
    handed_over: Counter[tuple[str, datetime]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for rows in (Run, TaskResult, Recurrence, PeriodicTask, CrontabSchedule, IntervalSchedule):
            rows.objects.all()._raw_delete("default")

    def add_crontab(self, cron: Cron, *, late_by: int | None = None) -> None:
        schedule = CrontabSchedule.objects.create(
            minute=cron.minute, hour=cron.hour, day_of_week=cron.day_of_week, timezone=cron.zone
        )
        name = f"{cron.minute} {cron.hour} {cron.day_of_week} {cron.zone} {late_by}"
        self._add(name, cron.between, late_by, crontab=schedule)

    def add_interval(self, minutes: int, *, late_by: int | None = None) -> None:
        schedule, _ = IntervalSchedule.objects.get_or_create(every=minutes, period="minutes")
        period = timedelta(minutes=minutes)
        between = every(period, anchor=self.begin + period)
        self._add(f"every {minutes} minutes {late_by}", between, late_by, interval=schedule)

    def _add(self, name: str, between: Between, late_by: int | None, **schedule: object) -> None:
        row = PeriodicTask(name=name, task=leave_effect.name, kwargs='{"order": "any"}', **schedule)
        row.date_changed = self.begin
        PeriodicTask.objects.bulk_create([row])
        PeriodicTask.objects.filter(name=name).update(date_changed=self.begin)
        row = PeriodicTask.objects.get(name=name)
        Recurrence.objects.create(periodic_task=row, late_by_seconds=late_by, overlap=Recurrence.Overlap.RUN)
        self.oracles[name] = between

    def tick(self, now: datetime, *, follow: bool = True) -> None:
        """Do what a scheduler does when its clock shows a moment."""
        if follow:
            follow_edits(now=now)
        while runs := claim_occurrences(now=now, lease=LEASE):
            self.handed_over.update((run.task_result.periodic_task_name, run.due_at) for run in runs)

    def expected(self, begin: datetime, end: datetime) -> set[tuple[str, datetime]]:
        """Return what the oracle says is due in `(begin, end]`."""
        return {(name, moment) for name, between in self.oracles.items() for moment in between(begin, end)}

    def recorded(self) -> set[tuple[str, datetime]]:
        """Return every occurrence that has a run, whether it is to be run or recorded as missed."""
        rows = Run.objects.values_list("task_result__periodic_task_name", "due_at")
        return {(str(name), due_at) for name, due_at in rows}

    def double(self) -> int:
        """Return how many occurrences were handed over once more."""
        return sum(times - 1 for times in self.handed_over.values())


def come_back_late(stage: Stage, n: int) -> dict[str, float]:
    """Go down for 30 minutes, 4 hours and 3 days, and see what is run, missed and due next.

    Args:
        n: at how many random moments it goes down, for each of the times.
    """
    dice = random.Random(8)
    occurrences = wrong = 0
    for down in DOWN:
        for _ in range(n):
            begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(365 * 24 * 60))
            due, faults = _go_down(begin, begin + down + timedelta(seconds=dice.randrange(600)))
            occurrences += due
            wrong += faults
    return {"occurrences": occurrences, "wrong": wrong}


def _go_down(begin: datetime, back_at: datetime) -> tuple[int, int]:
    world = World(begin)
    for late_by in LATE_BY:
        for fields in CRONTABS:
            world.add_crontab(Cron(*fields, "Europe/Berlin"), late_by=late_by)
        world.add_interval(10, late_by=late_by)
    world.tick(begin)
    world.tick(back_at, follow=False)
    wrong = sum(_policy_faults(world, name, back_at) for name in world.oracles)
    return len(world.expected(begin, back_at)), wrong


def _policy_faults(world: World, name: str, back_at: datetime) -> int:
    """Return how many occurrences of a schedule were treated otherwise than its policy says."""
    rules = Recurrence.objects.get(periodic_task__name=name)
    due = sorted(world.oracles[name](world.begin, back_at))
    wanted = {moment for moment in due if _may_start(moment, rules, due[-1], back_at)}
    runs = dict(
        Run.objects.filter(task_result__periodic_task_name=name).values_list("due_at", "not_run_because")
    )
    started = {moment for moment, not_run in runs.items() if not not_run}
    missed = {moment for moment, not_run in runs.items() if not_run == Run.NotRun.MISSED}
    following = min(world.oracles[name](back_at, back_at + timedelta(days=8)))
    return len(started ^ wanted) + len(missed ^ (set(due) - wanted)) + int(rules.next_due_at != following)


def _may_start(moment: datetime, rules: Recurrence, newest: datetime, back_at: datetime) -> bool:
    late = (back_at - moment).total_seconds()
    in_time = rules.late_by_seconds is None or late <= rules.late_by_seconds
    return in_time and (late <= 60 or moment == newest)


def live_through_weekends(stage: Stage, n: int, *, jumps: bool) -> dict[str, float]:
    """Live through the weekends on which clocks change, step by step.

    Args:
        n: how many weekends.
        jumps: the scheduler's own clock jumps an hour forth and back, and back and forth, meanwhile.
    """
    expected = missed = double = extra = 0
    for zone, saturday in WEEKENDS[:n]:
        begin = saturday.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - STEP
        end = (saturday + timedelta(days=2)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - STEP
        world = _live(begin, end, zone, jumps=jumps)
        due = world.expected(begin, end)
        # With jumps, what is noticed late is recorded by its policy; without, all of it is run.
        accounted = world.recorded() if jumps else set(world.handed_over)
        expected += len(due)
        missed += len(due - accounted)
        double += world.double()
        extra += len(world.recorded() - due)
    return {"occurrences": expected, "missed": missed, "double": double, "extra": extra}


def _live(begin: datetime, end: datetime, zone: str, *, jumps: bool) -> World:
    world = World(begin)
    for fields in CRONTABS:
        world.add_crontab(Cron(*fields, zone))
        world.add_crontab(Cron(*fields, "UTC"))
    world.add_interval(60)
    for now in _clock(begin, end, jumps=jumps):
        world.tick(now)
    return world


def _clock(begin: datetime, end: datetime, *, jumps: bool) -> Iterator[datetime]:
    """Yield what the scheduler's clock shows, step by step."""
    now = begin
    while now <= end:
        yield now + (_jump((now - begin) / HOUR) if jumps else timedelta(0))
        now += STEP


def _jump(hours: float) -> timedelta:
    """An hour fast from the tenth hour to the twelfth, an hour slow from the 30th to the 32nd."""
    if 10 <= hours < 12:
        return HOUR
    return -HOUR if 30 <= hours < 32 else timedelta(0)
