"""How a run's state and its times read on every screen."""

from datetime import datetime

from celery import states
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_results.models import TaskResult

from scheduling.models import Run
from scheduling.templatetags.moments import duration

NOTHING = format_html('<span class="quiet">{}</span>', "–")

_WORDS = {
    states.PENDING: "waiting",
    states.RETRY: "will retry",
    states.STARTED: "running",
    states.SUCCESS: "done",
    states.FAILURE: "failed",
    states.REVOKED: "stopped",
}

_LOOKS = {
    states.STARTED: "running",
    states.SUCCESS: "done",
    states.FAILURE: "failed",
    states.REVOKED: "cancelled",
}


def run_of(result: TaskResult) -> Run | None:
    """Return what is kept beside a result, if anything is: a foreign publisher's may have nothing."""
    return getattr(result, "run", None)


def state_words(result: TaskResult) -> str:
    """Return a run's state: waiting, running, done, failed, stopped, cancelled, missed, skipped, expired."""
    run = run_of(result)
    return run.not_run_because if run and run.not_run_because else _WORDS.get(result.status, result.status)


def state_badge(result: TaskResult) -> SafeString:
    """Return the state as a badge: colour only for what runs and what failed."""
    look = _LOOKS.get(result.status, "waiting")
    return format_html('<span class="run-state run-state-{}">{}</span>', look, state_words(result))


def between(start: datetime | None, end: datetime | None) -> str:
    """Return how long it took, or nothing if either end is not known."""
    return duration(max((end - start).total_seconds(), 0)) if start and end else ""


def figure(value: object) -> SafeString:
    """Return a value set as numbers are: every figure as wide as the other; a dash for none."""
    return format_html('<span class="run-num">{}</span>', value or NOTHING)
