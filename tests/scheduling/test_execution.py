import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import states
from celery.exceptions import Ignore, Reject
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import claims, execution
from scheduling.handover import lease_due
from scheduling.models import Attempt
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import deliver, effects, make_run, reload, result_of, run_task

pytestmark = pytest.mark.django_db


def test_the_effect_and_success_are_stored() -> None:
    run = run_task(tasks.record, name="x")
    assert effects() == ["x"]
    assert run.task_result.status == states.SUCCESS
    assert run.task_result.date_done is not None
    assert run.task_result.worker == "celery@one"


def test_celery_reads_what_it_returned() -> None:
    run = run_task(tasks.add, x=1, y=2)
    assert result_of(run).get(timeout=1) == 3


def test_an_atomic_task_is_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    depths = []
    monkeypatch.setattr(tasks.record, "run", lambda name: depths.append(len(connection.savepoint_ids)))
    run_task(tasks.record, name="x")
    run_task(tasks.report, task_id="other")
    assert depths == [len(connection.savepoint_ids) + 1]


def test_a_second_delivery_does_nothing() -> None:
    run = run_task(tasks.record, name="x")
    deliver(run)
    assert effects() == ["x"]
    assert reload(run).task_result.date_done == run.task_result.date_done


def test_a_second_delivery_says_so(caplog: pytest.LogCaptureFixture) -> None:
    run = run_task(tasks.record, name="x")
    with caplog.at_level(logging.INFO):
        deliver(run)
    assert "this delivery does nothing" in caplog.text


def test_one_that_another_worker_has_is_left_to_it() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"}, status=states.STARTED, worker="celery@two")
    deliver(run)
    assert effects() == []


def test_called_directly_it_is_a_plain_function() -> None:
    assert tasks.add(1, 2) == 3
    assert not TaskResult.objects.exists()


def test_applied_eagerly_it_is_a_plain_task() -> None:
    assert tasks.add.apply(args=(1, 2)).get() == 3
    assert not TaskResult.objects.exists()


def test_a_run_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    run = make_run(tasks.report)
    with django_assert_max_num_queries(2):
        deliver(run)


def test_the_effect_of_a_failure_is_undone_and_failure_stored() -> None:
    run = run_task(tasks.fail)
    assert effects() == []
    assert run.task_result.status == states.FAILURE
    assert run.task_result.date_done is not None
    assert "no such order" in run.task_result.traceback


def test_celery_raises_the_error_again() -> None:
    run = run_task(tasks.fail)
    with pytest.raises(ValueError, match="no such order"):
        result_of(run).get(timeout=1)


def test_what_json_cannot_hold_undoes_the_effect() -> None:
    run = run_task(tasks.return_what_json_cannot_hold, name="x")
    assert run.task_result.status == states.FAILURE
    assert effects() == []


def test_a_wrong_end_is_stored_when_the_commit_itself_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    end = claims.Claim.end

    def end_and_fail(self: claims.Claim, status: str, **fields: Any) -> None:
        end(self, status, **fields)
        if status == states.SUCCESS:
            raise IntegrityError("deferred until commit")

    monkeypatch.setattr(claims.Claim, "end", end_and_fail)
    deliver(run)
    assert reload(run).task_result.status == states.FAILURE
    assert effects() == []


@pytest.fixture
def _unlogged() -> Iterator[None]:
    """Log nothing: half a character in a captured log ends the process that tests run in."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


UNSTORABLE = [
    pytest.param("a\0b", "a\\0b", id="NUL"),
    pytest.param("a\udcffb", "a\\udcffb", id="half a character"),
]


@pytest.mark.usefixtures("_unlogged")
@pytest.mark.parametrize(("words", "stored"), UNSTORABLE)
def test_an_error_in_words_that_no_database_takes_is_stored(
    words: str, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise ValueError(words)

    monkeypatch.setattr(tasks.fail, "run", fail)
    run = run_task(tasks.fail, name="x")
    assert run.task_result.status == states.FAILURE
    assert stored in run.task_result.traceback
    assert run.error == f"ValueError: {stored}"


@pytest.mark.usefixtures("_unlogged")
@pytest.mark.parametrize(("words", "stored"), UNSTORABLE)
def test_a_retry_after_such_an_error_waits(words: str, stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def retry() -> None:
        raise tasks.report.retry(exc=ValueError(words))

    monkeypatch.setattr(tasks.report, "run", retry)
    assert run_task(tasks.report).task_result.status == states.RETRY
    assert Attempt.objects.get().error == f"ValueError: {stored}"


def test_states_do_not_go_back_after_a_failure() -> None:
    run = run_task(tasks.fail)
    deliver(run)
    assert reload(run).task_result.date_done == run.task_result.date_done


def test_a_task_that_is_not_atomic_succeeds_without_an_effect() -> None:
    run = run_task(tasks.report)
    assert run.task_result.status == states.SUCCESS
    assert result_of(run).get(timeout=1) == "all well"


@pytest.mark.parametrize(("task", "state"), [(tasks.report, "SUCCESS"), (tasks.report_failure, "FAILURE")])
def test_one_whose_result_is_ignored_ends_as_well(task: Any, state: str) -> None:
    run = make_run(task)
    deliver(run, ignore_result=True)
    assert reload(run).task_result.status == state


def test_a_task_that_is_not_atomic_is_in_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    depths = []
    monkeypatch.setattr(tasks.report, "run", lambda: depths.append(len(connection.savepoint_ids)))
    run_task(tasks.report)
    assert depths == [len(connection.savepoint_ids)]


def test_a_message_goes_back_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("starting up")

    monkeypatch.setattr(execution, "claim", refuse)
    monkeypatch.setattr(execution, "DATABASE_PAUSE_SECONDS", 0)
    run = make_run(tasks.record, kwargs={"name": "x"})
    outcome = deliver(run)
    assert outcome.info.state == states.REJECTED
    assert outcome.info.retval.requeue
    assert reload(run).task_result.status == states.PENDING


def test_telling_a_state_changes_no_state() -> None:
    run = run_task(tasks.tell_state, name="x")
    assert run.task_result.status == states.SUCCESS
    assert effects() == ["x"]


def test_what_a_task_tells_of_itself_is_seen_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def tell() -> None:
        tasks.report.update_state(state="PROGRESS", meta={"current": 1})
        seen.append((result_of(run).state, result_of(run).info))

    monkeypatch.setattr(tasks.report, "run", tell)
    run = make_run(tasks.report)
    deliver(run)
    assert seen == [(states.STARTED, {"current": 1})]


def test_one_that_asks_to_be_ignored_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def ignore() -> None:
        raise Ignore("nothing to do")

    monkeypatch.setattr(tasks.report, "run", ignore)
    run = run_task(tasks.report)
    assert run.task_result.status == states.REVOKED
    assert "nothing to do" in str(result_of(run).result)


def test_one_that_goes_back_to_its_queue_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def reject() -> None:
        raise Reject("not now", requeue=True)

    monkeypatch.setattr(tasks.report, "run", reject)
    assert run_task(tasks.report).task_result.status == states.PENDING


def test_one_that_goes_back_to_its_queue_is_handed_over_if_the_broker_forgets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reject() -> None:
        raise Reject("not now", requeue=True)

    monkeypatch.setattr(tasks.report, "run", reject)
    run = make_run(tasks.report, hand_over_at=None)
    deliver(run)
    later = timezone.now() + timedelta(minutes=1)
    assert lease_due(now=later) == [run]


def test_a_task_that_replaces_itself_says_that_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.report, "run", lambda: tasks.report.replace(tasks.add.s(1, 2)))
    run = run_task(tasks.report)
    assert run.task_result.status == states.FAILURE
    assert "cannot be replaced" in run.task_result.traceback


def test_started_told_by_celery_itself_does_not_spoil_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.report, "track_started", True)
    assert run_task(tasks.report).task_result.status == states.SUCCESS


def test_a_message_that_nobody_planned_need_not_fit_the_annotations() -> None:
    run = make_run(tasks.add, kwargs={"x": "1", "y": "2"})
    deliver(run, planned=False)
    assert result_of(run).result == "12"


def test_a_planned_run_must_fit_them() -> None:
    run = run_task(tasks.add, x="one", y=2)
    assert run.task_result.status == states.FAILURE
    assert "x must be a whole number" in run.error
