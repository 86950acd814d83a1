import os
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from scheduling.heartbeat import Heart, beat, register, sign_off
from scheduling.models import Process
from scheduling.rescue import Watch, rescue_lost
from tests.scheduling.factories import HOUR, SECOND, WORKER, make_started
from tests.services import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def heart() -> Heart:
    """A worker's heart whose thread is not started."""
    return make_heart()


def make_heart(running: list[str] | None = None, **options: Any) -> Heart:
    def details() -> dict[str, Any]:
        return {"running": running or [], "queues": ["celery"], "concurrency": 2}

    return Heart(WORKER, kind=Process.Kind.WORKER, details=details, **options)


def test_a_process_registers_with_what_it_is() -> None:
    started_at = timezone.now()
    register(WORKER, kind=Process.Kind.WORKER, started_at=started_at, queues=["mail"], concurrency=4)
    process = Process.objects.get()
    assert (process.name, process.kind, process.started_at) == (WORKER, "worker", started_at)
    assert (process.queues, process.concurrency, process.pid) == (["mail"], 4, os.getpid())


def test_a_process_takes_the_place_of_an_earlier_one_of_its_name() -> None:
    register(WORKER, kind=Process.Kind.WORKER, started_at=timezone.now() - HOUR)
    Process.objects.update(broker_error="no answer", broker_failing_since=timezone.now())
    register(WORKER, kind=Process.Kind.WORKER, started_at=timezone.now())
    process = Process.objects.get()
    assert (process.broker_error, process.broker_failing_since) == ("", None)


def test_a_beat_says_that_it_is_alive() -> None:
    started_at = timezone.now()
    register(WORKER, kind=Process.Kind.WORKER, started_at=started_at)
    Process.objects.update(seen_at=timezone.now() - HOUR)
    assert beat(WORKER, started_at=started_at, running=["run-1"])
    process = Process.objects.get()
    assert process.seen_at > timezone.now() - 5 * SECOND
    assert process.running == ["run-1"]


def test_a_beat_of_one_whose_name_was_taken_changes_nothing() -> None:
    register(WORKER, kind=Process.Kind.WORKER, started_at=timezone.now())
    assert not beat(WORKER, started_at=timezone.now() - HOUR, running=["run-1"])
    assert Process.objects.get().running == []


def test_signing_off_leaves_a_successor_of_its_name_alone() -> None:
    started_at = timezone.now()
    register(WORKER, kind=Process.Kind.WORKER, started_at=started_at)
    sign_off(WORKER, started_at=started_at - HOUR)
    assert Process.objects.exists()
    sign_off(WORKER, started_at=started_at)
    assert not Process.objects.exists()


def test_a_heart_registers_before_it_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.Thread.start", lambda self: None)
    make_heart(["run-1"]).start()
    assert Process.objects.get().running == ["run-1"]


def test_its_list_of_runs_is_not_younger_than_it_says() -> None:
    listed_at = []

    def details() -> dict[str, Any]:
        listed_at.append(timezone.now())
        return {"running": []}

    heart = Heart(WORKER, kind=Process.Kind.WORKER, details=details)
    for _ in range(2):
        heart._beat()
        assert Process.objects.get().seen_at <= listed_at[-1]


def test_a_heart_whose_row_was_deleted_goes_on_as_the_same_process(heart: Heart) -> None:
    heart._beat()
    before = Process.objects.get().started_at
    Process.objects.all().delete()
    heart._beat()
    assert Process.objects.get().started_at == before


def test_a_heart_whose_name_was_taken_says_so_and_takes_it_back(
    heart: Heart, caplog: pytest.LogCaptureFixture
) -> None:
    heart._beat()
    other = timezone.now() + SECOND
    Process.objects.update(started_at=other)
    heart._beat()
    assert Process.objects.get().started_at != other
    assert "Another process is called" in caplog.text


def test_a_heart_whose_clock_was_set_back_has_started_no_later_than_its_runs(
    heart: Heart, time_machine: Any
) -> None:
    heart._beat()
    time_machine.move_to(timezone.now() - HOUR)
    heart._beat()
    assert Process.objects.get().started_at <= timezone.now()
    run = make_started(ago=-SECOND)
    Process.objects.update(running=[run.pk])
    assert rescue_lost(Watch()) == 0


@pytest.mark.parametrize("error", [OperationalError("away"), ZeroDivisionError("nobody foresaw")])
def test_a_heart_does_not_stop_at_an_error(
    heart: Heart, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(heart, "_beat", fail)
    heart._try_to_beat()


def test_a_heart_does_its_errand_at_each_beat() -> None:
    errands: list[int] = []
    heart = make_heart(errand=lambda: errands.append(1))
    for _ in range(2):
        heart._try_to_beat()
    assert len(errands) == 2


@pytest.mark.django_db(transaction=True)
def test_a_heart_beats_until_it_is_stopped_and_signs_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduling.heartbeat.SECONDS", 0.05)
    heart = make_heart()
    heart.start()
    first = Process.objects.get().seen_at
    wait_until(lambda: Process.objects.get().seen_at > first, seconds=10)
    monkeypatch.setattr("scheduling.heartbeat.SECONDS", 10)
    heart.stop()
    assert not heart.is_alive()
    assert not Process.objects.exists()
