import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app, states
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import handover
from scheduling import publisher as publishing
from scheduling.handover import lease_due
from scheduling.models import Run
from scheduling.publisher import Publisher
from tests.scheduling.factories import SECOND, make_run, reload
from tests.services import redis_server, wait_until

pytestmark = pytest.mark.django_db

Messages = Callable[[], list[Any]]
REFUSING = "redis://127.0.0.1:9/0"


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher that is not started: the tests take its steps, on their own connection."""
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(publishing, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(publishing, "FIRST_PAUSE_SECONDS", 0.01)
    made = Publisher(current_app)
    yield made
    made.stop()
    if made._connection:
        made._connection.release()


def leased(count: int = 1) -> list[Run]:
    for number in range(count):
        make_run(task_id=f"run {number}", hand_over_at=timezone.now() - SECOND)
    return list(lease_due(now=timezone.now()))


def test_what_it_is_given_is_published_and_marked(publisher: Publisher, messages: Messages) -> None:
    publisher.put(leased(3))
    publisher.step()
    assert [message.headers["id"] for message in messages()] == ["run 0", "run 1", "run 2"]
    assert set(Run.objects.values_list("hand_overs", flat=True)) == {1}


def test_what_is_due_in_the_database_is_published(publisher: Publisher, messages: Messages) -> None:
    make_run(hand_over_at=timezone.now())
    publisher.step()
    assert len(messages()) == 1


def test_what_was_published_is_doubted_only_later(publisher: Publisher, messages: Messages) -> None:
    make_run(hand_over_at=timezone.now())
    for _ in range(3):
        publisher.step()
    assert len(messages()) == 1


def test_one_message_that_cannot_be_built_does_not_hold_up_the_others(
    publisher: Publisher, messages: Messages
) -> None:
    runs = leased(3)
    runs[1].options = {"headers": "none"}
    publisher.put(runs)
    publisher.step()
    assert [message.headers["id"] for message in messages()] == ["run 0", "run 2"]
    bad = reload(runs[1])
    assert bad.hand_overs == 0
    assert bad.hand_over_at
    assert bad.hand_over_at > timezone.now()
    assert publisher.failing_since is None


def test_a_run_whose_task_is_gone_fails_in_words_and_holds_up_no_others(
    publisher: Publisher, messages: Messages
) -> None:
    runs = leased(2)
    TaskResult.objects.filter(task_id="run 0").update(task_name="gone.task")
    runs[0].task_result.task_name = "gone.task"
    publisher.put(runs)
    publisher.step()
    assert [message.headers["id"] for message in messages()] == ["run 1"]
    gone = reload(runs[0])
    assert gone.task_result.status == states.FAILURE
    assert "The code has no such task" in gone.error
    assert "gone.task" in gone.error
    publisher.step()
    assert reload(gone).hand_over_at is None


def test_while_the_broker_refuses_runs_wait_in_the_database(
    publisher: Publisher, use_broker: Callable[[str], None]
) -> None:
    use_broker(REFUSING)
    [run] = leased()
    publisher.put([run])
    publisher.step()
    run = reload(run)
    assert (run.hand_overs, run.handed_over_at) == (0, None)
    assert run.hand_over_at
    assert run.hand_over_at <= timezone.now() + SECOND
    assert publisher.failing_since is not None
    assert publisher.error


def test_a_broker_that_refuses_is_logged_once(
    publisher: Publisher, use_broker: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    use_broker(REFUSING)
    make_run(hand_over_at=timezone.now())
    for _ in range(3):
        publisher.step()
    assert caplog.text.count("The broker takes no messages") == 1


def test_the_pauses_grow_to_half_a_minute(
    publisher: Publisher, use_broker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_broker(REFUSING)
    pauses: list[float] = []
    monkeypatch.setattr(publisher._stopped, "wait", pauses.append)
    publisher._pause_seconds = 8.0
    for _ in range(4):
        make_run(task_id=str(len(pauses)), hand_over_at=timezone.now())
        Run.objects.update(hand_over_at=timezone.now())
        publisher.step()
    assert pauses == [8.0, 16.0, 30.0, 30.0]


def test_once_the_broker_is_back_what_waited_is_published(
    publisher: Publisher,
    use_broker: Callable[[str], None],
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use_broker(REFUSING)
    make_run(hand_over_at=timezone.now())
    publisher.step()
    messages: Messages = request.getfixturevalue("messages")
    Run.objects.update(hand_over_at=timezone.now())
    publisher.step()
    assert len(messages()) == 1
    assert publisher.failing_since is None
    assert publisher.error == ""
    assert "The broker takes messages again" in caplog.text


def test_what_was_published_before_the_broker_failed_is_marked_and_not_given_back(
    publisher: Publisher, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = leased(3)
    publish = handover.publish

    def fail_at_the_last(run: Run, **options: Any) -> None:
        if run.pk == "run 2":
            raise OSError("gone")
        publish(run, **options)

    monkeypatch.setattr(publishing, "publish", fail_at_the_last)
    publisher.put(runs)
    publisher.step()
    assert [reload(run).hand_overs for run in runs] == [1, 1, 0]


def test_of_a_batch_that_a_full_broker_refuses_nothing_counts_as_published(
    publisher: Publisher, use_broker: Callable[[str], None]
) -> None:
    with redis_server("--maxmemory", "1", "--maxmemory-policy", "noeviction") as broker:
        use_broker(broker.url)
        runs = leased(3)
        publisher.put(runs)
        publisher.step()
    assert [reload(run).hand_overs for run in runs] == [0, 0, 0]
    assert publisher.failing_since is not None
    assert "maxmemory" in publisher.error


def test_told_to_stop_it_gives_back_what_it_was_given(publisher: Publisher, messages: Messages) -> None:
    runs = leased(2)
    publisher.put(runs)
    publisher.stop()
    publisher.run()
    assert messages() == []
    assert len(lease_due(now=timezone.now())) == 2


def test_told_to_stop_in_the_middle_it_gives_back_the_rest(
    publisher: Publisher, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = handover.publish

    def publish_and_stop(run: Run, **options: Any) -> None:
        publish(run, **options)
        publisher.stop()

    monkeypatch.setattr(publishing, "publish", publish_and_stop)
    publisher.put(leased(3))
    publisher.step()
    assert len(messages()) == 1
    assert [run.pk for run in lease_due(now=timezone.now())] == ["run 1", "run 2"]


def test_it_says_when_it_can_do_with_more(publisher: Publisher, messages: Messages) -> None:
    assert publisher.wait_until_taken(0)
    publisher.put(leased())
    assert not publisher.wait_until_taken(0)
    publisher.step()
    assert publisher.wait_until_taken(0)


@pytest.mark.parametrize("error", [OperationalError("away"), ZeroDivisionError("nobody foresaw")])
def test_an_error_does_not_end_it(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    steps = []

    def step() -> None:
        steps.append(1)
        if len(steps) == 1:
            raise error
        publisher.stop()

    monkeypatch.setattr(publisher, "step", step)
    publisher.run()
    assert len(steps) == 2


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept every connection and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.django_db(transaction=True)
def test_it_says_for_how_long_a_message_has_not_been_answered(use_broker: Callable[[str], None]) -> None:
    with silent_server() as url:
        use_broker(url)
        publisher = Publisher(current_app)
        assert publisher.silent_for() == 0
        publisher.put(leased())
        publisher.start()
        wait_until(lambda: publisher.silent_for() > 0.2, seconds=10)
        publisher.stop()
    publisher.join(10)
    assert not publisher.is_alive()


@pytest.mark.django_db(transaction=True)
def test_in_a_thread_of_its_own_it_publishes_and_stops(messages: Messages) -> None:
    publisher = Publisher(current_app)
    publisher.put(leased(2))
    publisher.start()
    wait_until(lambda: set(Run.objects.values_list("hand_overs", flat=True)) == {1}, seconds=10)
    publisher.stop()
    publisher.join(10)
    assert not publisher.is_alive()
    assert len(messages()) == 2
