from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app, states
from celery.app.task import Context
from celery.exceptions import TaskRevokedError, TimeLimitExceeded, WorkerLostError
from celery.result import AsyncResult
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import results
from scheduling.claims import claim
from scheduling.exceptions import ClaimLost
from scheduling.models import Attempt, Run
from scheduling.results import DatabaseBackend
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, WORKER, make_run, make_started, reload, result_of, run_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def backend() -> DatabaseBackend:
    backend = current_app.backend
    assert isinstance(backend, DatabaseBackend)
    return backend


def message_of(run: Run, *, worker: str = WORKER, **fields: Any) -> Context:
    """Return what a worker's main process knows of a run: its message, and no claim."""
    return Context({"id": run.pk, "retries": run.attempt - 1, "hostname": worker, **fields})


def test_an_end_told_from_outside_is_stored(backend: DatabaseBackend) -> None:
    run = make_started()
    backend.mark_as_failure(run.pk, TimeLimitExceeded(300), request=message_of(run))
    result = reload(run).task_result
    assert result.status == states.FAILURE
    assert result.date_done is not None


def test_nothing_of_the_run_is_nulled(backend: DatabaseBackend) -> None:
    run = make_started(kwargs={"name": "x"}, periodic_task_name="order:1/reminder")
    backend.mark_as_failure(run.pk, TimeLimitExceeded(300), request=message_of(run))
    result = reload(run).task_result
    assert (result.task_name, result.periodic_task_name) == (tasks.report.name, "order:1/reminder")
    assert (result.worker, result.date_started) == (WORKER, run.task_result.date_started)
    assert result_of(run).kwargs == {"name": "x"}


def test_only_the_worker_that_has_a_run_ends_it(backend: DatabaseBackend) -> None:
    run = make_started(worker="celery@two")
    backend.mark_as_failure(run.pk, TimeLimitExceeded(300), request=message_of(run, worker="celery@one"))
    assert reload(run).task_result.status == states.STARTED


@pytest.mark.parametrize("ended", sorted(states.READY_STATES))
@pytest.mark.parametrize("told", sorted(states.ALL_STATES))
def test_states_never_go_backwards(backend: DatabaseBackend, ended: str, told: str) -> None:
    run = make_run(status=ended, date_done=timezone.now(), worker=WORKER)
    backend.store_result(run.pk, "late", told, request=message_of(run))
    after = reload(run).task_result
    assert (after.status, after.result, after.date_done) == (ended, None, run.task_result.date_done)


@pytest.mark.parametrize("told", sorted(states.UNREADY_STATES | {"PROGRESS"}))
@pytest.mark.parametrize("status", [states.PENDING, states.STARTED, states.RETRY])
def test_what_is_told_from_outside_never_starts_or_puts_back_a_run(
    backend: DatabaseBackend, status: str, told: str
) -> None:
    run = make_run(status=status, worker=WORKER)
    backend.store_result(run.pk, {"pid": 1}, told, request=message_of(run))
    after = reload(run).task_result
    assert (after.status, after.date_done) == (status, None)


def test_the_claim_and_the_end_of_a_run_are_one_statement_each(django_assert_num_queries: Any) -> None:
    run = make_run()
    with django_assert_num_queries(1):
        held = claim(run.pk, worker=WORKER, attempt=1)
    assert held
    with django_assert_num_queries(1):
        held.end(states.SUCCESS)


def test_the_end_of_an_unknown_run_is_stored(backend: DatabaseBackend) -> None:
    backend.mark_as_failure("unknown", ValueError("x"))
    assert AsyncResult("unknown", app=current_app).state == states.FAILURE


def test_success_is_read_back_with_its_value() -> None:
    run = run_task(tasks.add, x=1, y=2)
    assert result_of(run).get(timeout=1) == 3


def test_a_run_whose_message_expired_is_recorded_as_expired(backend: DatabaseBackend) -> None:
    run = make_run(hand_over_at=timezone.now())
    backend.mark_as_revoked(run.pk, "expired", request=message_of(run))
    run = reload(run)
    assert run.task_result.status == states.REVOKED
    assert run.task_result.date_done is not None
    assert (run.not_run_because, run.hand_over_at) == (Run.NotRun.EXPIRED, None)


def test_a_run_revoked_before_it_started_is_cancelled(backend: DatabaseBackend) -> None:
    run = make_run()
    backend.mark_as_revoked(run.pk, "revoked", request=message_of(run))
    assert reload(run).not_run_because == Run.NotRun.CANCELLED


@pytest.mark.parametrize("reason", ["expired", "revoked"])
def test_a_second_message_that_expired_does_not_end_a_run_under_way(
    backend: DatabaseBackend, reason: str
) -> None:
    run = make_started()
    backend.mark_as_revoked(run.pk, reason, request=message_of(run))
    assert reload(run).task_result.status == states.STARTED


def test_an_old_message_that_expired_does_not_end_the_next_attempt(backend: DatabaseBackend) -> None:
    run = make_run(status=states.RETRY, attempt=2)
    backend.mark_as_revoked(run.pk, "expired", request=message_of(run, retries=0))
    assert reload(run).task_result.status == states.RETRY


def test_an_expired_message_does_not_end_the_worker_while_the_database_is_away(
    backend: DatabaseBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is closed")

    run = make_run(hand_over_at=timezone.now())
    monkeypatch.setattr(results, "cancel_runs", refuse)
    backend.mark_as_revoked(run.pk, "expired", request=message_of(run))
    assert "the connection is closed" in caplog.text
    assert reload(run).task_result.status == states.PENDING


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tell", ["mark_as_failure", "mark_as_revoked"])
def test_what_is_told_after_the_database_was_away_is_stored(tell: str, backend: DatabaseBackend) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection to lose")
    run = make_run()
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    words: Any = {"mark_as_failure": TimeLimitExceeded(300), "mark_as_revoked": "expired"}[tell]
    getattr(backend, tell)(run.pk, words, request=message_of(run))
    assert reload(run).task_result.status in states.READY_STATES


def test_a_run_terminated_by_staff_is_revoked(backend: DatabaseBackend) -> None:
    run = make_started()
    backend.mark_as_revoked(run.pk, "terminated", request=message_of(run))
    assert reload(run).task_result.status == states.REVOKED
    with pytest.raises(TaskRevokedError):
        result_of(run).get(timeout=1)


def test_a_run_whose_worker_was_lost_is_put_back(backend: DatabaseBackend) -> None:
    run = make_started(tasks.kill_its_process)
    backend.mark_as_failure(run.pk, WorkerLostError("signal 9 (SIGKILL)"), request=message_of(run))
    run = reload(run)
    assert (run.task_result.status, run.attempt) == (states.RETRY, 2)
    assert "SIGKILL" in Attempt.objects.get().error


def test_after_its_last_attempt_it_fails(backend: DatabaseBackend) -> None:
    run = make_started(tasks.kill_its_process, attempt=2)
    backend.mark_as_failure(run.pk, WorkerLostError("signal 9"), request=message_of(run))
    assert reload(run).task_result.status == states.FAILURE


def test_a_run_that_another_worker_has_meanwhile_is_not_put_back(backend: DatabaseBackend) -> None:
    run = make_started(tasks.kill_its_process, worker="celery@two", attempt=2)
    backend.mark_as_failure(
        run.pk, WorkerLostError("x"), request=message_of(run, worker="celery@one", retries=0)
    )
    result = reload(run).task_result
    assert (result.status, result.worker) == (states.STARTED, "celery@two")


def test_a_worker_lost_before_its_claim_costs_a_message_not_an_attempt(backend: DatabaseBackend) -> None:
    run = make_run(hand_over_at=timezone.now() + HOUR)
    backend.mark_as_failure(run.pk, WorkerLostError("x"), request=message_of(run))
    run = reload(run)
    assert (run.task_result.status, run.attempt) == (states.PENDING, 1)
    assert run.hand_over_at
    assert run.hand_over_at < timezone.now() + timedelta(minutes=1)


def test_a_worker_lost_after_it_wrote_a_retry_leaves_the_retry_its_time(backend: DatabaseBackend) -> None:
    at = timezone.now() + HOUR
    run = make_run(status=states.RETRY, attempt=2, hand_over_at=at)
    backend.mark_as_failure(run.pk, WorkerLostError("x"), request=message_of(run, retries=0))
    run = reload(run)
    assert (run.task_result.status, run.hand_over_at) == (states.RETRY, at)


def test_a_worker_lost_after_success_changes_nothing(backend: DatabaseBackend) -> None:
    run = make_run(status=states.SUCCESS, worker=WORKER)
    backend.mark_as_failure(run.pk, WorkerLostError("x"), request=message_of(run))
    assert reload(run).task_result.status == states.SUCCESS


def test_rescue_that_was_quicker_is_not_overruled(
    backend: DatabaseBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_late(*args: Any, **kwargs: Any) -> bool:
        raise ClaimLost

    monkeypatch.setattr(results, "give_up_attempt", be_late)
    run = make_started(tasks.kill_its_process)
    backend.mark_as_failure(run.pk, WorkerLostError("x"), request=message_of(run))
    assert reload(run).task_result.status == states.STARTED


def test_celerys_own_cleanup_deletes_nothing(backend: DatabaseBackend) -> None:
    make_run(status=states.SUCCESS, date_done=timezone.now() - timedelta(days=1000))
    backend.cleanup()
    assert TaskResult.objects.exists()
