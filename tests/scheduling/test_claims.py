import re
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from celery import states
from django.db import connection, transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.claims import CLAIM, END, Claim, claim
from scheduling.exceptions import AlreadyDone, ClaimLost
from scheduling.prepared import TIMES
from tests.scheduling.factories import make_run, make_started, reload

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [states.PENDING, states.RETRY])
def test_a_waiting_run_is_claimed_by_one_worker(status: str) -> None:
    run = make_run(status=status)
    held = claim(run.pk, worker="celery@one", attempt=1)
    assert held is not None
    result = reload(run).task_result
    assert (result.status, result.worker) == (states.STARTED, "celery@one")
    assert result.date_started == held.started_at
    assert result.date_done is None


@pytest.mark.parametrize("status", [states.STARTED, states.SUCCESS, states.FAILURE, states.REVOKED])
def test_a_run_that_does_not_wait_is_not_claimed(status: str) -> None:
    run = make_run(status=status)
    assert claim(run.pk, worker="celery@one", attempt=1) is None
    assert reload(run).task_result.status == status


def test_the_message_of_an_earlier_attempt_claims_nothing() -> None:
    run = make_run(status=states.RETRY, attempt=2)
    assert claim(run.pk, worker="celery@one", attempt=1) is None
    assert claim(run.pk, worker="celery@one", attempt=2)


def test_an_unknown_run_is_not_claimed() -> None:
    assert claim("unknown", worker="celery@one", attempt=1) is None


def test_a_claim_ends_its_run() -> None:
    run = make_run()
    held = claim(run.pk, worker="celery@one", attempt=1)
    assert held
    held.end(states.SUCCESS, result="1")
    result = reload(run).task_result
    assert (result.status, result.result) == (states.SUCCESS, "1")
    assert result.date_done is not None
    assert held.ended


def test_only_an_end_has_a_date() -> None:
    run = make_run()
    held = claim(run.pk, worker="celery@one", attempt=1)
    assert held
    held.end(states.RETRY)
    assert reload(run).task_result.date_done is None


@pytest.mark.parametrize(
    "lost",
    [
        Claim("run-1", "celery@two", timezone.now()),
        Claim("run-1", "celery@one", timezone.now() - timedelta(seconds=1)),
    ],
)
def test_a_lost_claim_ends_nothing(lost: Claim) -> None:
    run = make_started(worker="celery@one")
    with pytest.raises(ClaimLost):
        lost.end(states.SUCCESS)
    assert reload(run).task_result.status == states.STARTED
    assert not lost.ended


def test_a_claim_that_ended_ends_nothing_again() -> None:
    run = make_run()
    held = claim(run.pk, worker="celery@one", attempt=1)
    assert held
    other = copy(held)
    held.end(states.SUCCESS)
    with pytest.raises(AlreadyDone):
        held.end(states.FAILURE)
    with pytest.raises(ClaimLost):
        other.end(states.FAILURE)
    assert reload(run).task_result.status == states.SUCCESS


def test_an_end_that_is_undone_is_no_end() -> None:
    held = claim(make_run().pk, worker="celery@one", attempt=1)
    assert held

    def end_and_fail() -> None:
        with held.transaction():
            held.end(states.SUCCESS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        end_and_fail()
    assert not held.ended


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL plans statements apart")
def test_what_every_run_asks_is_planned_once_and_nothing_else_is() -> None:
    for number in range(TIMES + 1):
        run = make_run(task_id=f"run-{number}")
        held = claim(run.pk, worker="celery@one", attempt=1)
        assert held
        held.end(states.SUCCESS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY statement")
        prepared = [statement.split() for (statement,) in cursor.fetchall()]
    assert len(prepared) == 2
    assert all(words[:2] == ["UPDATE", TaskResult._meta.db_table] for words in prepared)


def indexes_used(statement: str, values: tuple[Any, ...]) -> set[str]:
    """Return by which columns a statement finds its rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {statement}", values)
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    return set(re.findall(r"(?:Index Cond: |INDEX \w+ )\(+(\w+)", plan))


def test_a_run_is_found_by_its_id_whatever_the_database_last_counted() -> None:
    """To it, a worker that started since has no runs: reading them all would be as quick."""
    for number in range(100):
        run = make_run(task_id=f"run-{number}", status=states.SUCCESS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    now = timezone.now()
    TaskResult.objects.update(status=states.STARTED, worker="celery@one", date_started=now)
    assert indexes_used(CLAIM, ("celery@one", now, run.pk, run.pk, 1)) == {"task_id", "task_result_id"}
    assert indexes_used(END, (states.SUCCESS, "1", None, now, run.pk, "celery@one", now)) == {"task_id"}
