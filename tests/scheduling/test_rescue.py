from copy import copy
from datetime import datetime, timedelta

import pytest
from celery import states
from django.utils import timezone

from scheduling.claims import Claim
from scheduling.models import Attempt, Process
from scheduling.rescue import Watch, forget_silent, rescue_lost
from scheduling.retrying import give_up_attempt
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import (
    HOUR,
    MINUTE,
    SECOND,
    WORKER,
    make_run,
    make_started,
    make_worker,
    reload,
)

pytestmark = pytest.mark.django_db


class Clock:
    """A steady clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("scheduling.rescue.time", clock)
    return clock


def watch_for(watch: Watch, clock: Clock, seconds: int, *, beating: Process | None = None) -> set[str]:
    """Look every five seconds for so long, as a scheduler does."""
    for _ in range(seconds // 5):
        clock.seconds += 5
        if beating:
            beating.seen_at += 5 * SECOND
            beating.save()
        watch.silent(Process.objects.all())
    return watch.names_silent


def test_a_process_whose_heartbeat_stands_still_is_silent_after_twenty_seconds(clock: Clock) -> None:
    make_worker()
    watch = Watch()
    watch.silent(Process.objects.all())
    assert watch_for(watch, clock, 20) == set()
    assert watch_for(watch, clock, 5) == {WORKER}


def test_a_process_whose_heart_beats_is_not_silent(clock: Clock) -> None:
    worker = make_worker()
    assert watch_for(Watch(), clock, 120, beating=worker) == set()


def test_a_new_watch_waits_before_it_calls_anyone_silent(clock: Clock) -> None:
    make_worker(seen_at=timezone.now() - HOUR)
    assert Watch().silent(Process.objects.all()) == set()


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_jump_of_the_wall_clock_kills_nobody(clock: Clock, jump: timedelta) -> None:
    worker = make_worker(seen_at=timezone.now() + jump)
    assert watch_for(Watch(), clock, 60, beating=worker) == set()


def test_after_a_pause_of_its_own_a_watch_begins_anew(clock: Clock) -> None:
    make_worker()
    watch = Watch()
    watch.silent(Process.objects.all())
    clock.seconds += 300
    assert watch.silent(Process.objects.all()) == set()
    assert watch_for(watch, clock, 20) == set()
    assert watch_for(watch, clock, 5) == {WORKER}


def test_a_process_that_took_the_name_of_a_silent_one_has_its_own_time(clock: Clock) -> None:
    worker = make_worker()
    watch = Watch()
    watch_for(watch, clock, 15)
    Process.objects.update(started_at=worker.started_at + MINUTE)
    assert watch_for(watch, clock, 20) == set()


def test_a_run_of_a_silent_worker_is_put_back(clock: Clock) -> None:
    make_worker(running=["run-1"])
    run = make_started()
    watch = Watch()
    watch.silent(Process.objects.all())
    watch_for(watch, clock, 20)
    clock.seconds += 5
    assert rescue_lost(watch) == 1
    run = reload(run)
    assert (run.task_result.status, run.attempt) == (states.RETRY, 2)
    assert "has been silent since" in Attempt.objects.get().error


def rescued() -> str:
    rescue_lost(Watch())
    attempt = Attempt.objects.first()
    return attempt.error if attempt else ""


def test_a_run_of_a_worker_that_was_started_again_is_put_back() -> None:
    make_started(ago=MINUTE)
    make_worker(started_at=timezone.now(), running=["run-1"])
    assert rescued() == f"its worker {WORKER} was started again"


def test_a_run_of_a_worker_that_signed_off_is_put_back() -> None:
    make_started()
    assert rescued() == f"its worker {WORKER} has ended"


def test_a_run_that_its_worker_does_not_have_any_more_is_put_back() -> None:
    make_started()
    make_worker(running=["another"])
    assert rescued() == f"its worker {WORKER} is not running it any more"


def test_a_run_that_its_worker_has_is_left_to_it() -> None:
    make_started()
    make_worker(running=["run-1"])
    assert rescued() == ""


def test_a_run_that_started_after_the_last_heartbeat_is_left_alone() -> None:
    make_worker(seen_at=timezone.now() - 2 * SECOND)
    make_started(ago=SECOND)
    assert rescued() == ""


@pytest.mark.parametrize("status", [states.PENDING, states.RETRY, states.SUCCESS, states.FAILURE])
def test_only_what_was_started_is_put_back(status: str) -> None:
    make_run(status=status, worker="celery@gone", date_started=timezone.now() - HOUR)
    assert rescue_lost(Watch()) == 0


def test_a_scheduler_of_that_name_is_no_worker() -> None:
    make_started()
    Process.objects.create(
        name=WORKER,
        kind=Process.Kind.SCHEDULER,
        started_at=timezone.now() - HOUR,
        seen_at=timezone.now(),
        hostname="one",
        pid=1,
        running=["run-1"],
    )
    assert rescued() == f"its worker {WORKER} has ended"


def test_a_run_that_keeps_killing_its_workers_fails_in_the_end() -> None:
    run = make_started(tasks.kill_its_process, attempt=2)
    assert rescue_lost(Watch()) == 1
    assert reload(run).task_result.status == states.FAILURE


def test_two_schedulers_that_rescue_at_once_count_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_started()

    def be_second(held: Claim, *, words: str) -> bool:
        give_up_attempt(copy(held), words="the other one was quicker")
        return give_up_attempt(held, words=words)

    monkeypatch.setattr("scheduling.rescue.give_up_attempt", be_second)
    rescue_lost(Watch())
    assert reload(run).attempt == 2
    assert Attempt.objects.count() == 1


def test_a_result_that_is_no_run_of_ours_stops_nobody() -> None:
    other = make_started(task_id="other", worker="celery@gone")
    other.delete()
    run = make_started()
    assert rescue_lost(Watch()) == 1
    assert reload(run).attempt == 2


def heartbeat_of(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_processes_silent_for_a_day_are_forgotten(clock: Clock) -> None:
    make_worker("old", seen_at=heartbeat_of(2))
    make_worker("new")
    watch = Watch()
    watch.silent(Process.objects.all())
    watch_for(watch, clock, 25)
    forget_silent(watch)
    assert Process.objects.get().name == "new"


def test_a_wall_clock_wrong_by_days_makes_nobody_forgotten(clock: Clock) -> None:
    worker = make_worker(seen_at=heartbeat_of(2))
    watch = Watch()
    watch_for(watch, clock, 60, beating=worker)
    forget_silent(watch)
    assert Process.objects.exists()
