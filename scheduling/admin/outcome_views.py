"""The outcomes of a schedule as the list and its page show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import states
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from scheduling.admin.states import state_words
from scheduling.history import Occurrence
from scheduling.models import Run
from scheduling.outcomes import NEWEST
from scheduling.templatetags.moments import duration, exact, relative

_MARKS = {
    states.SUCCESS: "done",
    states.FAILURE: "failed",
    states.REVOKED: "not-run",
}


@dataclass(frozen=True)
class OutcomeRow:
    """One line of a schedule's history."""

    due_at: datetime
    words: str
    mark: str
    url: str = ""
    late: str = ""
    took: str = ""
    why: str = ""


def row_of(occurrence: Occurrence, *, usually: str) -> OutcomeRow:
    """Return an occurrence with what came of it, in words.

    Args:
        usually: why the schedule runs: that is not told again of each run.
    """
    run = occurrence.run
    if run is None:
        words, mark = ("not taken up yet", "open") if occurrence.awaited else ("no record", "not-run")
        return OutcomeRow(occurrence.due_at, words, mark)
    result = run.task_result
    late = (result.date_started - run.due_at) if result.date_started else None
    return OutcomeRow(
        due_at=occurrence.due_at,
        words=state_words(result),
        mark=mark_of(run),
        url=run_url(run),
        late=duration(max(late, timedelta())) if late is not None else "",
        took=took(run),
        why=", ".join(filter(None, (run.reason, run.planned_by))) if run.reason != usually else "",
    )


def run_url(run: Run) -> str:
    """Return the page of a run."""
    return reverse("admin:django_celery_results_taskresult_change", args=[run.task_result.pk])


def mark_of(run: Run) -> str:
    """Return the look of an outcome: done, failed, not-run or open."""
    return _MARKS.get(run.task_result.status, "open")


def took(run: Run) -> str:
    """Return how long a run that was started and has ended took."""
    result = run.task_result
    both = result.date_started and result.date_done
    return duration(max(result.date_done - result.date_started, timedelta())) if both else ""


def last_outcome(runs: Sequence[Run]) -> SafeString | None:
    """Return what came of the last run: "done 2 h ago, 1.2 s"."""
    if not runs:
        return None
    run = runs[-1]
    words = f"{state_words(run.task_result)} {relative(run.due_at)}"
    return format_html(
        '<a href="{}" class="outcome-{}" title="{}">{}</a><small>{}</small>',
        run_url(run),
        mark_of(run),
        exact(run.due_at),
        words,
        took(run),
    )


def strip(runs: Sequence[Run]) -> SafeString:
    """Return the newest outcomes as a strip of marks, with the same in words for who cannot see it."""
    marks = [(mark_of(run), f"{state_words(run.task_result)}, {exact(run.due_at)}") for run in runs]
    empty = [("none", "")] * (NEWEST - len(runs))
    html = format_html_join("", '<i class="{}" title="{}"></i>', [*empty, *marks])
    return format_html('<span class="strip" role="img" aria-label="{}">{}</span>', summary(runs), html)


def summary(runs: Sequence[Run]) -> str:
    """Return the outcomes counted: "the last 20: 17 done, 2 failed, 1 skipped"."""
    if not runs:
        return "never ran"
    words = [state_words(run.task_result) for run in runs]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return f"the last {len(runs)}: {counted}"
