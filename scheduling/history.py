"""Every expected occurrence of one schedule with what came of it, in pages.

A page reads the runs it shows and one more, which tells whether there are others, be it the first page
or the thousandth. They are read in the order of their keys, for which there is an index by schedule:
that is the order in which they became due, but for what was noticed late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from heapq import merge
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple, Self

from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask

from scheduling import timetable
from scheduling.crontab import InvalidCrontab
from scheduling.models import Recurrence, Run
from scheduling.outcomes import runs_with_results
from scheduling.runs import run_id

_FIRST_LOOK = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_KEY = 2**63 - 1
_INSTANT = timedelta.resolution
_DUE = attrgetter("due_at")
_WRITTEN = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True)
class Occurrence:
    """One time a schedule was due, or was run by hand.

    Args:
        run: what was made of it; nothing if there is no record.
        awaited: due, and not taken up yet.
    """

    due_at: datetime
    run: Run | None = None
    awaited: bool = False


class Place(NamedTuple):
    """A place in a history: what is older was due before it, and has a smaller key.

    Args:
        due_at: in UTC.
        key: of a task result.
    """

    due_at: datetime
    key: int

    def __str__(self) -> str:
        """Return it as it stands in an address."""
        return f"{self.key}_{self.due_at:{_WRITTEN}}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the place that an address names, if it names one."""
        key, _, written = text.partition("_")
        try:
            place = cls(datetime.strptime(written, _WRITTEN).replace(tzinfo=UTC), int(key))
        except ValueError:
            return None
        return place if place.due_at > _EPOCH and 0 < place.key <= _LAST_KEY else None


@dataclass(frozen=True)
class Page:
    """A part of a history, newest first, and where it goes on: nowhere at its ends."""

    occurrences: Sequence[Occurrence]
    newer: Place | None
    older: Place | None


@dataclass(frozen=True, kw_only=True)
class History:
    """What came of one schedule.

    Occurrences are expected since it was last edited, but for those whose records are deleted by now;
    from before, there are its runs.

    Args:
        kept: for how long the records of runs are kept.
        size: of a page.
    """

    periodic_task: PeriodicTask
    now: datetime
    kept: timedelta
    size: int

    def newest(self) -> Page:
        """Return the first page."""
        return self._before(Place(self.now + _INSTANT, _LAST_KEY), newer=None)

    def before(self, place: Place) -> Page:
        """Return the page that ends at a place."""
        return self._before(place, newer=place)

    def after(self, place: Place) -> Page:
        """Return the page that begins at a place: the first one, if it would hold all that is newer."""
        runs = list(
            self._runs.filter(task_result__pk__gte=place.key).order_by("task_result__pk")[: self.size + 1]
        )
        expected = self._expected_from(place.due_at)
        ahead = list(merge(_recorded(runs), self._unrecorded(expected, runs), key=_DUE))
        if len(ahead) <= self.size:
            return self.newest()
        shown = ahead[: self.size]
        newer = Place(
            max(place.due_at, *map(_DUE, shown)) + _INSTANT,
            max((key + 1 for key in _keys(shown)), default=place.key),
        )
        return Page(_newest_first(shown), newer=newer, older=place)

    def _before(self, place: Place, *, newer: Place | None) -> Page:
        runs = list(
            self._runs.filter(task_result__pk__lt=place.key).order_by("-task_result__pk")[: self.size + 1]
        )
        # Where there are more runs, what is older than these is on another page.
        since = min(map(_DUE, runs)) if len(runs) > self.size else None
        expected = self._expected_before(place.due_at, since=since)
        behind = list(
            merge(_recorded(runs), self._unrecorded(reversed(expected), runs), key=_DUE, reverse=True)
        )
        shown = behind[: self.size]
        older = Place(min([place.due_at, *map(_DUE, shown)]), min(_keys(shown), default=place.key))
        return Page(_newest_first(shown), newer=newer, older=older if len(behind) > self.size else None)

    @property
    def _runs(self) -> QuerySet[Run]:
        return runs_with_results().filter(task_result__periodic_task_name=self.periodic_task.name)

    def _unrecorded(self, expected: Iterable[datetime], runs: Iterable[Run]) -> list[Occurrence]:
        """Return, in the same order, the expected occurrences that have no run: of these, or at all."""
        due = {run_id(key=self.periodic_task.name, due_at=due_at): due_at for due_at in expected}
        for run in runs:
            due.pop(run.pk, None)
        elsewhere = set(Run.objects.filter(pk__in=list(due)).values_list("pk", flat=True)) if due else ()
        next_due_at = self._rules.next_due_at
        return [
            Occurrence(due_at, awaited=bool(next_due_at and due_at >= next_due_at))
            for id_, due_at in due.items()
            if id_ not in elsewhere
        ]

    @cached_property
    def _rules(self) -> Recurrence:
        return getattr(self.periodic_task, "recurrence", None) or Recurrence()

    @cached_property
    def _since(self) -> datetime:
        """From when on occurrences are expected; a one-off that has run is no longer enabled."""
        if not (self._rules.defined_at and self.periodic_task.enabled) or self.periodic_task.one_off:
            return self.now
        return max(self._rules.defined_at, self.now - self.kept)

    @cached_property
    def _counted(self) -> PeriodicTask:
        """The schedule with its interval counted through an occurrence that is known."""
        known = self._rules.next_due_at or self.periodic_task.last_run_at
        return timetable.counted_through(self.periodic_task, known or self.now, since=self._since)

    def _expected_from(self, moment: datetime) -> list[datetime]:
        """Return the oldest occurrences that were expected from a moment on."""
        after = max(self._since, moment - _INSTANT)
        try:
            found = timetable.upcoming(self._counted, after=after, count=self.size + 1)
        except InvalidCrontab:
            return []
        return list(takewhile(lambda due_at: due_at <= self.now, found))

    def _expected_before(self, moment: datetime, *, since: datetime | None) -> list[datetime]:
        """Return the newest occurrences that were expected before a moment, and after another."""
        since, until = max(self._since, since or self._since), min(moment - _INSTANT, self.now)
        look = _FIRST_LOOK
        while True:
            # Further back each time: a crontab is read only forwards, each minute of years one by one.
            after = max(since, until - look)
            found = self._expected_between(after, until)
            if len(found) > self.size or after == since:
                return found
            look *= 4

    def _expected_between(self, after: datetime, until: datetime) -> list[datetime]:
        try:
            return timetable.occurrences_between(
                self._counted, after=after, until=until, limit=self.size + 1
            ).newest
        except InvalidCrontab:
            return []


def _recorded(runs: Iterable[Run]) -> list[Occurrence]:
    return [Occurrence(run.due_at, run) for run in runs]


def _keys(occurrences: Iterable[Occurrence]) -> list[int]:
    return [one.run.task_result.pk for one in occurrences if one.run]


def _newest_first(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    return sorted(occurrences, key=_DUE, reverse=True)
