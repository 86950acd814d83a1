from datetime import timedelta

import pytest
from celery import states
from celery.exceptions import Retry, WorkerLostError
from django.db import IntegrityError, transaction
from django.utils import timezone

from scheduling.claims import Claim, claim
from scheduling.exceptions import ClaimLost
from scheduling.models import Attempt, Run
from scheduling.retrying import give_up_attempt, lost_pause, retry_later
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, make_run, reload, result_of

pytestmark = pytest.mark.django_db


def claimed(run: Run) -> Claim:
    held = claim(run.pk, worker="celery@one", attempt=run.attempt)
    assert held
    return held


def test_a_lost_attempt_is_put_back_with_its_reason() -> None:
    run = make_run(tasks.kill_its_process)
    assert give_up_attempt(claimed(run), words="its worker has ended")
    run = reload(run)
    assert (run.task_result.status, run.attempt) == (states.RETRY, 2)
    assert run.hand_over_at is not None
    assert Attempt.objects.get().error == "its worker has ended"


def test_after_its_last_attempt_a_lost_run_fails() -> None:
    run = make_run(tasks.kill_its_process, attempt=2)
    assert not give_up_attempt(claimed(run), words="its worker has ended")
    assert reload(run).task_result.status == states.FAILURE
    with pytest.raises(WorkerLostError, match="its worker has ended"):
        result_of(run).get(timeout=1)


def test_a_task_without_a_limit_is_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.kill_its_process, "max_retries", None)
    run = make_run(tasks.kill_its_process, attempt=1000)
    assert give_up_attempt(claimed(run), words="x")


def test_a_task_that_is_gone_from_the_code_fails() -> None:
    run = make_run(task_name="no.such.task")
    assert not give_up_attempt(claimed(run), words="x")


def test_a_claim_that_was_lost_before_gives_nothing_up() -> None:
    run = make_run()
    held = claimed(run)
    held.end(states.SUCCESS)
    with pytest.raises(ClaimLost):
        give_up_attempt(held, words="x")
    assert not Attempt.objects.exists()


def test_the_pauses_of_lost_attempts_grow_to_ten_minutes() -> None:
    pauses = [lost_pause(tries).total_seconds() for tries in (1, 2, 3, 4, 20, 30_000)]
    assert pauses == [1, 2, 4, 8, 600, 600]


def test_an_attempt_is_recorded_all_or_not_at_all() -> None:
    run = make_run()
    held = claimed(run)
    Attempt.objects.create(run=run, number=1, ended_at=timezone.now(), error="in the way")
    with pytest.raises(IntegrityError), transaction.atomic():
        retry_later(held, Retry(exc=OSError("x"), when=timezone.now() + HOUR))
    assert reload(run).task_result.status == states.STARTED
    assert not held.ended


def test_the_reason_of_a_retry_is_what_celery_reads() -> None:
    run = make_run()
    retry_later(claimed(run), Retry(exc=OSError("no answer"), when=timezone.now() + timedelta(hours=1)))
    assert result_of(run).state == states.RETRY
    assert isinstance(result_of(run).result, OSError)
