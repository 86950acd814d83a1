"""What holds on every broker when a worker, or the broker itself, is killed, stopped, frozen or emptied."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from celery import states
from django.utils import timezone

from scheduling.models import Attempt, Process
from scheduling.planning import plan
from tests.brokers.servers import listens
from tests.brokers.stage import (
    WORKER,
    Stage,
    broker_fails,
    handed_over,
    let_hand_over_again,
    ran_on,
    statuses,
    wait_until,
)
from tests.brokers.tasks import kill_its_worker


def test_runs_of_a_killed_worker_are_run_by_the_next(played: Stage) -> None:
    keys = played.plan(6, seconds=1.0)
    wait_until(lambda: states.STARTED in statuses(keys))
    played.kill_worker()
    played.expect_once(keys)


def test_poison_task_stops_after_its_attempts_and_harms_no_other(played: Stage) -> None:
    key = f"{played.name}:poison/kill"
    plan(key, kill_its_worker, at=timezone.now())
    played.expect_once(played.plan(2))
    wait_until(lambda: statuses([key]) == [states.FAILURE])
    assert Attempt.objects.filter(run__task_result__periodic_task_name=key).count() == 1


def test_frozen_broker_is_noticed_in_time_and_holds_up_no_planning(played: Stage) -> None:
    played.broker.freeze()
    try:
        keys = played.plan(5)
        wait_until(broker_fails)
    finally:
        played.broker.thaw()
    played.expect_once(keys)


def test_what_waits_in_a_broker_outlives_its_restart(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    with played.worker_at_rest():
        waiting = stop_with_messages(played)
        # No second message may hide the loss of the first.
        let_hand_over_again(waiting, after=timedelta(hours=1) if played.broker.keeps else timedelta(0))
        meanwhile = played.plan(5)
        wait_until(broker_fails)
        played.broker.start()
    played.expect_once([*waiting, *meanwhile])
    assert played.cluster.pid(WORKER) == before


def test_broker_that_answers_anything_with_400_ends_no_worker(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    keys = played.plan(5, at=timezone.now() + timedelta(seconds=2))
    played.broker.stop()
    with refuse_all(port_of(played.broker.service.url)) as asked:
        wait_until(broker_fails)
        # By the scheduler and by the worker, each more than once.
        wait_until(lambda: len(asked) > 5)
    played.broker.start()
    played.expect_once(keys)
    wait_until(lambda: not broker_fails())
    played.expect_once(played.plan(5))
    assert played.cluster.pid(WORKER) == before


def test_nothing_is_lost_or_doubled_with_the_memory_of_the_broker(played: Stage) -> None:
    before = played.cluster.pid(WORKER)
    with played.worker_at_rest():
        waiting = stop_with_messages(played)
        played.broker.forget()
    played.cluster.add_worker("late")
    late = played.cluster.pid("late")
    meanwhile = played.plan(5)
    wait_until(broker_fails)
    played.broker.start()
    let_hand_over_again(waiting)
    played.expect_once([*waiting, *meanwhile])
    wait_until(lambda: not broker_fails())
    # One that was started while the broker was away, too, and neither had to be started again.
    wait_until(lambda: Process.objects.filter(name="late@faults").exists())
    shared = played.plan(20, seconds=0.2)
    played.expect_once(shared)
    assert ran_on(shared) == {"worker@faults", "late@faults"}
    assert (played.cluster.pid(WORKER), played.cluster.pid("late")) == (before, late)
    played.cluster.drop("late")


@pytest.mark.parametrize("played", [("redis", "postgresql")], indirect=True, ids="-".join)
def test_message_that_nobody_acknowledges_is_found_within_seconds_of_its_time(played: Stage) -> None:
    with played.worker_at_rest(), played.connect() as connection:
        keys = played.plan(4)
        wait_until(lambda: handed_over(keys))
        channel = connection.default_channel
        taken = [message for _ in keys if (message := channel.basic_get("celery"))]
        # The worker was waiting for one already.
        assert len(taken) >= len(keys) - 1
        with channel.conn_or_acquire() as client:
            for message in taken:
                client.zincrby(channel.unacked_index_key, -channel.visibility_timeout, message.delivery_tag)
        played.signal_worker(signal.SIGCONT)
        played.expect_once(keys)
    assert not handed_over(keys[1:], times=2)


def stop_with_messages(played: Stage) -> list[str]:
    """Stop the broker when it has some, and return the keys of their runs."""
    keys = played.plan(20)
    wait_until(lambda: handed_over(keys))
    played.broker.stop()
    return keys


@contextmanager
def refuse_all(port: int) -> Iterator[list[bytes]]:
    """Listen on a port, and give whoever asks a web server's answer to what it does not understand."""
    asked: list[bytes] = []

    class Refuse(StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(1000))
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    # A killed server's port is free a moment later.
    wait_until(lambda: not listens(port))
    with Server(("127.0.0.1", port), Refuse) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port
