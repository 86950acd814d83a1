"""What came of recurring schedules: the newest runs of each."""

from collections.abc import Collection

from django.db.models import QuerySet
from django_celery_results.models import TaskResult

from scheduling.models import Run

NEWEST = 20
_LONG = ("args", "kwargs", "options", "task_result__result", "task_result__traceback", "task_result__meta")


def newest_runs(names: Collection[str]) -> dict[str, list[Run]]:
    """Return the newest runs of each schedule, oldest first, in two statements whatever their number.

    Args:
        names: of the schedules; few enough for one page.
    """
    found: dict[str, list[Run]] = {name: [] for name in names}
    for run in runs_with_results().filter(pk__in=_newest_ids(names)).order_by("due_at"):
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


def runs_with_results() -> QuerySet[Run]:
    """Return runs with their results, but for what a list never shows."""
    return Run.objects.select_related("task_result").defer(*_LONG)
