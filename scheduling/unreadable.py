"""Rows that raise while they are read, as SQL may have written them: they must not hold up the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from scheduling.exceptions import DATABASE_AWAY, UnreadableRow


def past_unreadable[T](
    work: Callable[[QuerySet[Any]], T],
    rows: QuerySet[Any],
    *,
    set_aside: Callable[[Mapping[Any, UnreadableRow]], None],
    at_most: int | None = None,
) -> T:
    """Do some work on rows; if any cannot be read, set those aside and do it on the others.

    Args:
        work: reads the rows; what it does is undone if it raises.
        set_aside: is told of the primary keys of those that cannot be read, and why.
        at_most: how many rows it reads.
    """
    try:
        return work(rows)
    except DATABASE_AWAY:
        raise
    except Exception:
        errors = _find_unreadable(rows, list(rows.values_list("pk", flat=True)[:at_most]))
        if not errors:
            raise
        set_aside(errors)
        return work(rows.exclude(pk__in=errors))


def _find_unreadable(rows: QuerySet[Any], keys: Sequence[Any]) -> dict[Any, UnreadableRow]:
    """Look for them by halves, for most can be read."""
    try:
        list(rows.filter(pk__in=keys))
    except DATABASE_AWAY:
        raise
    except Exception as error:
        if len(keys) == 1:
            return {keys[0]: UnreadableRow(str(error))}
        half = len(keys) // 2
        return _find_unreadable(rows, keys[:half]) | _find_unreadable(rows, keys[half:])
    return {}
