"""What came of recurring schedules: the newest runs of many, and each occurrence of one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from scheduling import timetable
from scheduling.crontab import InvalidCrontab
from scheduling.models import Recurrence, Run

NEWEST = 20
_LONG = ("args", "kwargs", "options", "task_result__result", "task_result__traceback", "task_result__meta")


@dataclass(frozen=True)
class Occurrence:
    """One time a schedule was due.

    Args:
        run: what was made of it; nothing if there is no record.
    """

    due_at: datetime
    run: Run | None = None


def newest_runs(names: Collection[str]) -> dict[str, list[Run]]:
    """Return the newest runs of each schedule, oldest first, in two statements whatever their number.

    Args:
        names: of the schedules; few enough for one page.
    """
    found: dict[str, list[Run]] = {name: [] for name in names}
    for run in _with_results().filter(pk__in=_newest_ids(names)).order_by("due_at"):
        found[run.task_result.periodic_task_name].append(run)
    return found


def _newest_ids(names: Collection[str]) -> list[str]:
    # One LIMIT for each name reads 20 rows of it from the index; a window over all of them would
    # read every run there is. SQLite takes a LIMIT inside a UNION only in a subquery of its own,
    # which the ORM does not write.
    if not names:
        return []
    parts: list[str] = []
    params: list[str] = []
    for name in names:
        of_one = TaskResult.objects.filter(periodic_task_name=name).order_by("-pk")
        sql, given = of_one.values("id", "task_id")[:NEWEST].query.sql_with_params()
        parts.append(f"SELECT * FROM ({sql}) AS newest")  # noqa: S608
        params.extend(given)
    return [row.task_id for row in TaskResult.objects.raw(" UNION ALL ".join(parts), params)]


def history_of(periodic_task: PeriodicTask, *, now: datetime, limit: int) -> list[Occurrence]:
    """Return every occurrence that was expected, with its run, and every other run; newest first.

    Occurrences are expected since the schedule was last edited; from before, there are its runs.

    Args:
        limit: at most so many.
    """
    runs = _with_results().filter(task_result__periodic_task_name=periodic_task.name)
    recorded = [Occurrence(run.due_at, run) for run in runs.order_by("-due_at")[:limit]]
    since = _expected_since(periodic_task)
    if since and len(recorded) == limit:
        since = max(since, recorded[-1].due_at)
    known = {occurrence.due_at for occurrence in recorded}
    expected = _expected(periodic_task, since=since, until=now, limit=limit) if since else []
    unrecorded = [Occurrence(due_at) for due_at in expected if due_at not in known]
    return sorted([*recorded, *unrecorded], key=lambda one: one.due_at, reverse=True)[:limit]


def _with_results() -> QuerySet[Run]:
    return Run.objects.select_related("task_result").defer(*_LONG)


def _expected_since(periodic_task: PeriodicTask) -> datetime | None:
    rules: Recurrence | None = getattr(periodic_task, "recurrence", None)
    return rules.defined_at if rules and periodic_task.enabled else None


def _expected(
    periodic_task: PeriodicTask, *, since: datetime, until: datetime, limit: int
) -> Sequence[datetime]:
    try:
        return timetable.occurrences_between(periodic_task, after=since, until=until, limit=limit).newest
    except InvalidCrontab:
        return []
