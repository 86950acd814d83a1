"""Progress: in no transaction, as the body of a task that is not atomic."""

from typing import Any

import pytest
from celery import states
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from orders.models import Category
from scheduling.models import Run
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import deliver, effects, make_run, reload, result_of, run_task

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_slow_task_returns_after_its_effect() -> None:
    run = run_task(tasks.work_slowly, name="x")
    assert Category.objects.get().name == "x"
    assert run.task_result.status == states.SUCCESS
    assert result_of(run).get(timeout=1) == "sent"


def test_a_second_effect_is_refused_in_words_beside_the_success_of_the_first() -> None:
    run = run_task(tasks.work_twice)
    assert effects() == ["first"]
    assert run.task_result.status == states.SUCCESS
    assert "AlreadyDone" in result_of(run).result


def test_an_effect_of_an_atomic_task_fails_it_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.work_twice, "atomic", True)
    run = run_task(tasks.work_twice)
    assert effects() == []
    assert run.task_result.status == states.FAILURE
    assert "AlreadyDone" in run.error


def test_what_goes_wrong_after_an_effect_is_told_beside_its_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        with tasks.work_slowly.effect():
            Category.objects.create(name=name)
        raise OSError("no answer")

    monkeypatch.setattr(tasks.work_slowly, "run", fail)
    run = run_task(tasks.work_slowly, name="x")
    assert (run.task_result.status, effects()) == (states.SUCCESS, ["x"])
    assert result_of(run).result == "done, and then: OSError: no answer"


def test_a_retry_after_an_effect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def retry(name: str) -> None:
        with tasks.work_slowly.effect():
            Category.objects.create(name=name)
        raise tasks.work_slowly.retry(exc=OSError("no answer"))

    monkeypatch.setattr(tasks.work_slowly, "run", retry)
    run = run_task(tasks.work_slowly, name="x")
    assert (run.task_result.status, run.attempt, effects()) == (states.SUCCESS, 1, ["x"])
    assert "no answer" in result_of(run).result


def test_progress_is_stored() -> None:
    run = run_task(tasks.work_slowly, name="x")
    assert (run.progress_current, run.progress_total, run.progress_words) == (1, 2, "half way")


def test_progress_is_written_at_most_twice_a_second_and_when_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = iter(number / 10 for number in range(1000))
    monkeypatch.setattr("scheduling.execution.time.monotonic", lambda: next(ticks))
    written = []
    execute = CursorWrapper.execute

    def note(self: Any, sql: str, params: Any = None) -> Any:
        if "progress_current" in sql and sql.startswith("UPDATE"):
            written.append(params[0])
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", note)
    run_task(tasks.count_to, last=13)
    assert written == [1, 6, 11, 13]


def test_the_next_run_in_the_same_process_is_not_held_back() -> None:
    for number in (1, 2):
        run = make_run(tasks.work_slowly, task_id=f"{number}", kwargs={"name": f"{number}"})
        deliver(run)
        assert reload(run).progress_current == 1


def test_long_words_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.report, "run", lambda: tasks.report.progress(1, 2, "x" * 300))
    assert run_task(tasks.report).progress_words == "x" * 200


@pytest.mark.parametrize(
    ("told", "stored"), [(5_000_000_000, 5_000_000_000), (10**30, 2**63 - 1), (-1, 0), (None, None)]
)
def test_no_number_is_too_large_or_too_small(
    told: int | None, stored: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.report, "run", lambda: tasks.report.progress(3, told))
    run = run_task(tasks.report)
    assert (run.task_result.status, run.progress_total) == (states.SUCCESS, stored)


def test_progress_that_cannot_be_written_fails_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.work_slowly, kwargs={"name": "x"})

    def refuse(self: QuerySet[Run], **columns: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(QuerySet, "update", refuse)
    deliver(run)
    assert reload(run).task_result.status == states.SUCCESS
    assert Category.objects.get().name == "x"


def test_a_lost_attempt_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.report)

    def be_lost() -> None:
        Run.objects.update(attempt=2)
        tasks.report.progress(1, 2)

    monkeypatch.setattr(tasks.report, "run", be_lost)
    deliver(run)
    assert reload(run).progress_current is None


def test_progress_is_refused_in_a_transaction() -> None:
    run = run_task(tasks.show_progress_in_transaction)
    assert run.task_result.status == states.FAILURE
    assert "atomic = False" in str(result_of(run).result)
