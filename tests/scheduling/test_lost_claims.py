"""A run that another worker has claimed while this one was at it: nothing of this attempt stands."""

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.models import Attempt, Run
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import deliver, effects, make_run, reload

pytestmark = pytest.mark.django_db


def take_over(run: Run) -> None:
    """Have another worker claim a run that one has already, as after a rescue."""
    TaskResult.objects.filter(task_id=run.pk).update(worker="celery@two", date_started=timezone.now())


def test_the_effect_of_a_lost_claim_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    body = tasks.record.run

    def be_slow(name: str) -> str:
        take_over(run)
        return body(name)

    monkeypatch.setattr(tasks.record, "run", be_slow)
    # The tests' database sees the other worker's claim undone with the effect: here it is one
    # connection. What counts is that nothing of this attempt stands.
    deliver(run)
    assert effects() == []
    assert reload(run).task_result.status == states.STARTED


def test_the_failure_of_a_lost_claim_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.report)

    def fail() -> None:
        take_over(run)
        raise ValueError

    monkeypatch.setattr(tasks.report, "run", fail)
    deliver(run)
    result = reload(run).task_result
    assert (result.status, result.worker) == (states.STARTED, "celery@two")


def test_the_retry_of_a_lost_claim_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.report)

    def retry() -> None:
        take_over(run)
        raise tasks.report.retry()

    monkeypatch.setattr(tasks.report, "run", retry)
    outcome = deliver(run)
    assert reload(run).attempt == 1
    assert not Attempt.objects.exists()
    assert outcome.info.state == states.IGNORED


def test_the_effect_block_of_a_lost_claim_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.work_slowly, kwargs={"name": "x"})
    monkeypatch.setattr(tasks.work_slowly, "progress", lambda *args: take_over(run))
    deliver(run)
    assert effects() == []
    assert reload(run).task_result.worker == "celery@two"


def test_a_lost_claim_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    run = make_run(tasks.work_slowly, kwargs={"name": "x"})
    monkeypatch.setattr(tasks.work_slowly, "progress", lambda *args: take_over(run))
    deliver(run)
    assert "another one has taken its place" in caplog.text
