from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import heartbeat
from scheduling.models import Attempt, Run
from scheduling.undelivered import send_again, send_all_again
from tests.scheduling.factories import HOUR, MINUTE, SECOND, make_run, make_worker, reload

pytestmark = pytest.mark.django_db


def make_handed_over(*, ago: timedelta = SECOND, **fields: Any) -> Run:
    now = timezone.now()
    return make_run(handed_over_at=now - ago, hand_over_at=now + HOUR, hand_overs=1, **fields)


def is_due(run: Run) -> bool:
    again_at = reload(run).hand_over_at
    return again_at is not None and again_at <= timezone.now()


def test_message_handed_over_as_its_worker_died_is_sent_again() -> None:
    run = make_handed_over()
    assert send_again(make_worker()) == 1
    assert is_due(run)


def test_message_named_at_the_last_heartbeat_is_sent_again() -> None:
    run = make_handed_over(ago=HOUR)
    assert send_again(make_worker(running=[run.pk])) == 1
    assert is_due(run)


def test_older_message_is_left_in_the_broker() -> None:
    run = make_handed_over(ago=HOUR)
    assert send_again(make_worker()) == 0
    assert not is_due(run)


def test_message_sent_after_the_worker_was_gone_is_left_alone() -> None:
    make_handed_over()
    assert send_again(make_worker(seen_at=timezone.now() - MINUTE)) == 0


def test_run_that_has_started_needs_no_message() -> None:
    make_handed_over(status="STARTED")
    assert send_again(make_worker()) == 0


def test_run_that_waits_for_its_next_attempt_keeps_its_pause() -> None:
    run = make_handed_over()
    TaskResult.objects.filter(task_id=run.pk).update(status="RETRY")
    Attempt.objects.create(run=run, number=1, ended_at=timezone.now(), error="lost")
    assert send_again(make_worker()) == 0


def test_worker_that_takes_the_name_of_a_killed_one_has_its_messages_sent_again() -> None:
    run = make_handed_over()
    killed = make_worker()
    heartbeat.register(killed.name, kind="worker", started_at=timezone.now())
    assert is_due(run)


def test_all_messages_of_a_broker_that_was_left_are_sent_again() -> None:
    run = make_handed_over(ago=HOUR)
    assert send_all_again() == 1
    assert is_due(run)


def test_runs_that_need_no_message_are_sent_none() -> None:
    now = timezone.now()
    make_run(hand_over_at=now + HOUR)
    make_handed_over(status="STARTED")
    make_handed_over(status="SUCCESS")
    retried = make_handed_over(status="RETRY")
    Attempt.objects.create(run=retried, number=1, ended_at=now, error="lost")
    assert send_all_again() == 0


def test_command_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    make_handed_over(ago=HOUR)
    call_command("send_again")
    assert capsys.readouterr().out.startswith("1 messages")
