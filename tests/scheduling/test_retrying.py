from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import states
from celery.exceptions import Retry, WorkerLostError
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from orders.models import Category
from scheduling import execution
from scheduling.claims import Claim, claim
from scheduling.exceptions import ClaimLost
from scheduling.models import Attempt, Run
from scheduling.retrying import give_up_attempt, lost_pause, retry_later
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, deliver, effects, make_run, reload, result_of, run_task

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
    copy(held).end(states.SUCCESS)
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


def test_a_retry_waits_in_the_database(time_machine: Any) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    run = run_task(tasks.retry_by_hand)
    assert run.task_result.status == states.RETRY
    assert run.task_result.date_done is None
    assert run.hand_over_at == now + timedelta(seconds=30)
    assert run.attempt == 2


def test_the_effect_of_an_attempt_to_retry_is_undone() -> None:
    run_task(tasks.retry_by_hand)
    assert effects() == []


@pytest.mark.parametrize(("when", "seconds"), [(None, 180), (5, 5)])
def test_a_retry_raised_without_asking_for_one_waits_too(
    when: int | None, seconds: int, monkeypatch: pytest.MonkeyPatch, time_machine: Any
) -> None:
    def retry() -> None:
        raise Retry("not yet", when=when)

    now = datetime(2026, 5, 1, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    monkeypatch.setattr(tasks.report, "run", retry)
    run = run_task(tasks.report)
    assert (run.task_result.status, run.hand_over_at) == (states.RETRY, now + timedelta(seconds=seconds))


def test_a_retry_raised_without_asking_for_one_is_raised_no_more_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def retry() -> None:
        raise Retry("not yet")

    monkeypatch.setattr(tasks.report, "run", retry)
    monkeypatch.setattr(tasks.report, "max_retries", 0)
    assert run_task(tasks.report).task_result.status == states.FAILURE


def test_the_failed_attempt_is_kept() -> None:
    run = run_task(tasks.retry_by_hand)
    attempt = Attempt.objects.get()
    assert (attempt.run_id, attempt.number, attempt.worker) == (run.pk, 1, "celery@one")
    assert attempt.error == "OSError: no answer"
    assert "no answer" in attempt.traceback
    assert attempt.started_at is not None


def test_the_next_attempt_runs() -> None:
    run = run_task(tasks.retry_by_hand)
    deliver(run)
    assert reload(run).attempt == 3
    assert list(Attempt.objects.values_list("number", flat=True)) == [1, 2]


def test_the_first_attempts_message_delivered_again_does_not_start_the_next_early() -> None:
    first = make_run(tasks.retry_by_hand)
    deliver(first)
    deliver(first)
    assert reload(first).attempt == 2


def test_after_the_last_attempt_it_fails_with_the_error() -> None:
    run = make_run(tasks.retry_by_hand)
    for _ in range(3):
        deliver(reload(run))
    run = reload(run)
    assert run.task_result.status == states.FAILURE
    assert run.attempt == 3
    with pytest.raises(OSError, match="no answer"):
        result_of(run).get(timeout=1)


def test_autoretry_goes_to_the_database(time_machine: Any) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    run = run_task(tasks.retry_by_itself)
    assert (run.task_result.status, run.attempt) == (states.RETRY, 2)
    assert run.hand_over_at == now + timedelta(seconds=10)
    deliver(run)
    assert reload(run).task_result.status == states.FAILURE


def test_new_arguments_and_options_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def retry(name: str) -> None:
        raise tasks.record.retry(args=(), kwargs={"name": "other"}, queue="slow", countdown=1)

    monkeypatch.setattr(tasks.record, "run", retry)
    run = run_task(tasks.record, name="x")
    assert (run.args, run.kwargs, run.options) == ([], {"name": "other"}, {"queue": "slow"})


def test_a_time_to_have_been_tried_again_by_reaches_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    expires = timezone.now() + timedelta(hours=1)

    def retry(name: str) -> None:
        raise tasks.record.retry(expires=expires)

    monkeypatch.setattr(tasks.record, "run", retry)
    assert run_task(tasks.record, name="x").options == {"expires": expires.isoformat()}


def test_arguments_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def retry(name: str) -> None:
        raise tasks.record.retry()

    monkeypatch.setattr(tasks.record, "run", retry)
    assert run_task(tasks.record, name="x").kwargs == {"name": "x"}


def test_the_error_being_handled_is_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def retry() -> None:
        try:
            raise LookupError("gone")
        except LookupError:
            raise tasks.report.retry() from None

    monkeypatch.setattr(tasks.report, "run", retry)
    run_task(tasks.report)
    assert Attempt.objects.get().error == "LookupError: gone"


def test_progress_of_the_failed_attempt_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def retry() -> None:
        raise tasks.report.retry()

    monkeypatch.setattr(tasks.report, "run", retry)
    run = make_run(tasks.report, progress_current=1, progress_words="x", hand_overs=4)
    deliver(run)
    run = reload(run)
    assert (run.progress_current, run.progress_words, run.hand_overs) == (None, "", 0)


def test_a_run_whose_database_went_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(name: str) -> None:
        Category.objects.create(name=name)
        raise OperationalError("terminating connection")

    monkeypatch.setattr(tasks.record, "run", break_down)
    run = run_task(tasks.record, name="x")
    assert effects() == []
    assert (run.task_result.status, run.attempt) == (states.RETRY, 2)
    assert Attempt.objects.get().error == "OperationalError: terminating connection"


def test_a_run_whose_database_goes_away_each_time_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(tasks.report, "run", break_down)
    monkeypatch.setattr(tasks.report, "max_retries", 0)
    assert run_task(tasks.report).task_result.status == states.FAILURE


def test_a_retry_that_cannot_be_written_is_left_to_rescue(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: Any) -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr(tasks.report, "run", break_down)
    monkeypatch.setattr(execution, "retry_later", break_down)
    assert run_task(tasks.report).task_result.status == states.STARTED
