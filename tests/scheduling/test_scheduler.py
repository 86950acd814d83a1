import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app, states
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from scheduling import scheduler as scheduling
from scheduling.models import Process, Recurrence, Run
from scheduling.planning import plan
from scheduling.scheduler import Errand, Scheduler
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import MINUTE, SECOND, make_due, make_recurring, make_started
from tests.services import wait_until

Messages = Callable[[], list[Any]]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A scheduler whose ticks the tests count; its publisher is a thread of its own."""
    monkeypatch.setattr(scheduling, "POLL_SECONDS", 0.01)
    monkeypatch.setattr("scheduling.publisher.IDLE_SECONDS", 0.01)
    monkeypatch.setattr("scheduling.publisher.FIRST_PAUSE_SECONDS", 0.05)
    before = current_app.conf.beat_schedule
    current_app.conf.update(beat_schedule={})
    made = Scheduler(current_app)
    yield made
    made.close()
    current_app.conf.update(beat_schedule=before)


def tick_until(scheduler: Scheduler, condition: Callable[[], Any]) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        scheduler.tick()
        assert time.monotonic() < give_up_at, "not within 10 s"


def handed_over() -> set[str | None]:
    done = Run.objects.filter(handed_over_at__isnull=False)
    return set(done.values_list("task_result__periodic_task_name", flat=True))


def test_what_is_due_is_handed_over(scheduler: Scheduler, messages: Messages) -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now())
    make_due(make_recurring("Report"), timezone.now())
    tick_until(scheduler, lambda: handed_over() == {"order:1/reminder", "Report"})
    assert {message.headers["periodic_task_name"] for message in messages()} == handed_over()


def test_two_schedulers_hand_each_over_once(
    scheduler: Scheduler, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Scheduler(current_app)
    other._name = "scheduler@other"
    for number in range(10):
        plan(str(number), tasks.report, at=timezone.now())
    try:
        for one in (scheduler, other):
            one.tick()
        wait_until(lambda: len(handed_over()) == 10, seconds=10)
    finally:
        other.close()
    assert len(messages()) == 10


def test_it_registers_and_signs_off(scheduler: Scheduler, messages: Messages) -> None:
    scheduler.tick()
    assert Process.objects.get().kind == Process.Kind.SCHEDULER
    scheduler.close()
    assert not Process.objects.exists()


def test_one_whose_row_was_deleted_registers_again(scheduler: Scheduler, messages: Messages) -> None:
    scheduler.tick()
    Process.objects.all().delete()
    scheduler._beat()
    assert Process.objects.exists()


def test_it_brings_the_schedules_of_the_code_over(scheduler: Scheduler, messages: Messages) -> None:
    current_app.conf.update(beat_schedule={"Report": {"task": tasks.report.name, "schedule": MINUTE}})
    scheduler.tick()
    assert PeriodicTask.objects.get().name == "Report"
    assert Recurrence.objects.get().next_due_at is not None


def test_it_puts_back_what_a_lost_worker_had(scheduler: Scheduler, messages: Messages) -> None:
    run = make_started(worker="celery@gone")
    scheduler.tick()
    assert Run.objects.get(pk=run.pk).task_result.status == states.RETRY


def test_while_the_broker_refuses_what_is_due_is_still_written_down(
    scheduler: Scheduler, use_broker: Callable[[str], None]
) -> None:
    use_broker("redis://127.0.0.1:9/0")
    plan("first", tasks.report, at=timezone.now())
    tick_until(scheduler, lambda: scheduler._publisher.failing_since)
    plan("second", tasks.report, at=timezone.now())
    tick_until(scheduler, lambda: Run.objects.count() == 2)
    assert not handed_over()
    scheduler._beat()
    process = Process.objects.get()
    assert process.broker_failing_since is not None
    assert "refused" in process.broker_error


def test_once_the_broker_is_back_all_is_handed_over(
    scheduler: Scheduler, use_broker: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    use_broker("redis://127.0.0.1:9/0")
    plan("first", tasks.report, at=timezone.now())
    tick_until(scheduler, lambda: scheduler._publisher.failing_since)
    plan("second", tasks.report, at=timezone.now())
    tick_until(scheduler, lambda: Run.objects.count() == 2)
    messages: Messages = request.getfixturevalue("messages")
    tick_until(scheduler, lambda: handed_over() == {"first", "second"})
    assert len(messages()) == 2
    scheduler._beat()
    assert Process.objects.get().broker_failing_since is None


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept every connection and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_publisher_that_gets_no_answer_is_replaced(
    scheduler: Scheduler,
    use_broker: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scheduling, "SILENT_BROKER_SECONDS", 0.2)
    with silent_server() as url:
        use_broker(url)
        plan("first", tasks.report, at=timezone.now())
        scheduler.tick()
        held = scheduler._publisher
        wait_until(lambda: held.silent_for() > 0.2, seconds=10)
        scheduler._beat()
        assert scheduler._publisher is not held
        assert Process.objects.get().broker_error.startswith("no answer for")
        plan("second", tasks.report, at=timezone.now())
        tick_until(scheduler, lambda: Run.objects.count() == 2)
    assert "The broker does not answer" in caplog.text
    held.join(10)
    assert not held.is_alive()


def test_each_publisher_left_behind_is_given_more_time(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduling.publisher.Publisher.start", lambda self: None)
    monkeypatch.setattr("scheduling.publisher.Publisher.silent_for", lambda self: 30.0)
    replaced = []
    for _ in range(5):
        before = scheduler._publisher
        scheduler._replace_hung_publisher()
        replaced.append(scheduler._publisher is not before)
    assert replaced == [True, False, False, False, False]


def test_a_broker_that_gives_no_answer_is_logged_once(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("scheduling.publisher.Publisher.start", lambda self: None)
    monkeypatch.setattr("scheduling.publisher.Publisher.silent_for", lambda self: 1000.0)
    for _ in range(3):
        scheduler._replace_hung_publisher()
    assert caplog.text.count("The broker does not answer") == 1


@pytest.mark.parametrize("error", [OperationalError("away"), ValidationError("an unknown time zone")])
def test_an_error_does_not_end_it(
    scheduler: Scheduler, messages: Messages, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(**options: Any) -> None:
        raise error

    plan("order:1/reminder", tasks.report, at=timezone.now())
    with monkeypatch.context() as patch:
        patch.setattr(scheduling, "claim_due", fail)
        scheduler.tick()
    tick_until(scheduler, handed_over)


def test_an_errand_that_fails_does_not_hold_up_the_work(
    scheduler: Scheduler,
    messages: Messages,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(**options: Any) -> None:
        raise ValidationError("an unknown time zone")

    monkeypatch.setattr(scheduling, "follow_edits", fail)
    plan("order:1/reminder", tasks.report, at=timezone.now())
    tick_until(scheduler, handed_over)
    assert "unknown time zone" in caplog.text


def test_an_errand_is_done_at_once_and_then_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_done(monkeypatch) == [100, 110, 120]


def test_an_errand_that_is_not_urgent_waits_for_its_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_done(monkeypatch, first_after_seconds=10) == [110, 120]


def times_done(monkeypatch: pytest.MonkeyPatch, **options: float) -> list[float]:
    """Return when an errand of every ten seconds is done that begins at 100."""
    done: list[float] = []
    monkeypatch.setattr("scheduling.scheduler.time.monotonic", lambda: 100)
    errand = Errand(lambda: done.append(time.monotonic()), 10, **options)
    for now in (100, 105, 109.9, 110, 111, 120):
        monkeypatch.setattr("scheduling.scheduler.time.monotonic", lambda now=now: now)
        errand.run_if_due()
    return done


def test_closing_does_not_wait_for_a_statement_under_way(scheduler: Scheduler, messages: Messages) -> None:
    scheduler.tick()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        started = time.monotonic()
        scheduler.close()
        assert time.monotonic() - started < 3
        assert cursor.fetchone() == (1,)


@contextmanager
def celery_beat(database_url: str) -> Iterator[subprocess.Popen[str]]:
    """Run `celery beat`, from when it has given a sign of life."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings.test",
        "DATABASE_URL": database_url,
    }
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "beat", "--pidfile="]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as beat:
        try:
            wait_until(Process.objects.exists, beat, seconds=90)  # type: ignore[arg-type]
            yield beat
        finally:
            beat.kill()


def test_celery_beat_stops_within_five_seconds(database_url: str) -> None:
    with celery_beat(database_url) as beat:
        plan("order:1/reminder", tasks.report, at=timezone.now())
        wait_until(Run.objects.exists, beat, seconds=20)  # type: ignore[arg-type]
        beat.terminate()
        _, words = beat.communicate(timeout=5)
    assert not Process.objects.exists(), words
    assert "Traceback" not in words


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no lock that all share")
def test_celery_beat_stops_within_five_seconds_while_it_waits_for_the_lock_of_sqlite(
    database_url: str,
) -> None:
    with celery_beat(database_url) as beat:
        plan("order:1/reminder", tasks.report, at=timezone.now() + SECOND)
        with transaction.atomic():
            time.sleep(3)
            beat.terminate()
            beat.wait(5)
    # Nobody saw its end, but its work was not begun.
    assert PeriodicTask.objects.exists()


def test_a_run_starts_within_a_second_of_being_due(scheduler: Scheduler, messages: Messages) -> None:
    scheduler.tick()
    due_at = timezone.now() + SECOND / 2
    plan("order:1/reminder", tasks.report, at=due_at)
    tick_until(scheduler, handed_over)
    at = Run.objects.get().handed_over_at
    assert at
    assert due_at <= at <= due_at + SECOND
