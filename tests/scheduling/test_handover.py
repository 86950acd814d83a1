from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app, states
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu import Connection

from scheduling import handover
from scheduling.handover import LEASE, lease_due, mark_published, publish, release
from scheduling.models import Run
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, MINUTE, SECOND, make_run, make_started, reload

pytestmark = pytest.mark.django_db

Messages = Callable[[], list[Any]]


@pytest.fixture
def producer() -> Iterator[Any]:
    with Connection("memory://localhost") as broker:
        yield current_app.amqp.Producer(broker)


def ago(pause: timedelta = SECOND) -> Any:
    return timezone.now() - pause


def test_what_needs_a_message_is_leased() -> None:
    run = make_run(hand_over_at=ago())
    now = timezone.now()
    assert lease_due(now=now) == [run]
    assert reload(run).hand_over_at == now + LEASE


def test_what_is_leased_nobody_else_takes() -> None:
    make_run(hand_over_at=ago())
    now = timezone.now()
    lease_due(now=now)
    assert lease_due(now=now) == []
    assert len(lease_due(now=now + LEASE)) == 1


@pytest.mark.parametrize("at", [None, HOUR])
def test_what_needs_none_or_not_yet_is_left(at: timedelta | None) -> None:
    make_run(hand_over_at=at and timezone.now() + at)
    assert lease_due(now=timezone.now()) == []


@pytest.mark.parametrize("status", [states.STARTED, states.SUCCESS, states.FAILURE, states.REVOKED])
def test_what_was_started_or_ended_is_taken_off_the_list(status: str) -> None:
    run = make_run(hand_over_at=ago(), status=status)
    assert lease_due(now=timezone.now()) == []
    assert reload(run).hand_over_at is None


def test_one_put_back_while_it_is_looked_at_keeps_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_started(hand_over_at=ago(MINUTE))
    at = ago()

    def put_back(runs: Any) -> set[str]:
        # As if PostgreSQL had locked the run's new version, and joined the result's old one.
        TaskResult.objects.filter(task_id=run.pk).update(status=states.RETRY)
        Run.objects.filter(pk=run.pk).update(hand_over_at=at)
        return set()

    monkeypatch.setattr(handover, "_awaited_and_going", put_back)
    assert lease_due(now=timezone.now()) == []
    assert reload(run).hand_over_at == at


def test_what_is_taken_off_the_list_costs_no_more_each_the_more_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(60):
        make_started(task_id=str(number), hand_over_at=ago())
    compared = []
    equal = Run.__eq__

    def count_and_compare(run: Run, other: object) -> bool:
        compared.append(run)
        return equal(run, other)

    monkeypatch.setattr(Run, "__eq__", count_and_compare)
    assert lease_due(now=timezone.now()) == []
    assert len(compared) <= 60


def test_the_oldest_come_first_and_no_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "BATCH", 2)
    for minutes in (1, 3, 2):
        make_run(task_id=str(minutes), hand_over_at=ago(minutes * MINUTE))
    assert [run.pk for run in lease_due(now=timezone.now())] == ["3", "2"]


def test_one_behind_another_waits_until_that_has_ended() -> None:
    first = make_started(task_id="first")
    second = make_run(task_id="second", waits_for="first", hand_over_at=ago())
    now = timezone.now()
    assert lease_due(now=now) == []
    assert reload(second).hand_over_at == now + SECOND
    TaskResult.objects.filter(task_id=first.pk).update(status=states.FAILURE)
    assert lease_due(now=now + SECOND) == [second]


def test_one_behind_a_run_that_is_gone_does_not_wait() -> None:
    make_run(waits_for="gone", hand_over_at=ago())
    assert len(lease_due(now=timezone.now())) == 1


def test_statements_do_not_grow_with_the_runs(django_assert_max_num_queries: Any) -> None:
    make_started(task_id="going")
    for number in range(20):
        make_run(task_id=f"ready {number}", hand_over_at=ago())
        make_run(task_id=f"behind {number}", hand_over_at=ago(), waits_for="going")
        make_started(task_id=f"settled {number}", hand_over_at=ago())
    with django_assert_max_num_queries(8):
        assert len(lease_due(now=timezone.now())) == 20


def test_a_message_carries_the_run(messages: Messages, producer: Any) -> None:
    run = make_run(
        tasks.record, kwargs={"name": "é"}, periodic_task_name="order:1/reminder", attempt=3, args=[1]
    )
    publish(run, app=current_app, producer=producer)
    [message] = messages()
    assert message.headers["id"] == run.pk
    assert message.headers["task"] == tasks.record.name
    assert message.headers["retries"] == 2
    assert message.headers["planned"] is True
    assert message.headers["periodic_task_name"] == "order:1/reminder"
    assert message.payload[:2] == [[1], {"name": "é"}]


def test_no_eta_reaches_the_broker(messages: Messages, producer: Any) -> None:
    publish(make_run(), app=current_app, producer=producer)
    [message] = messages()
    assert message.headers["eta"] is None


def test_publishing_writes_no_second_run(
    messages: Messages, producer: Any, django_assert_num_queries: Any
) -> None:
    run = make_run()
    with django_assert_num_queries(0):
        publish(run, app=current_app, producer=producer)


def test_a_message_goes_to_the_runs_queue(use_broker: Callable[[str], None], producer: Any) -> None:
    use_broker("memory://localhost")
    publish(make_run(queue="slow"), app=current_app, producer=producer)
    with Connection("memory://localhost") as connection, connection.SimpleQueue("slow") as queue:
        assert len(queue) == 1
        queue.clear()


def test_headers_priority_and_expiry_reach_the_message(messages: Messages, producer: Any) -> None:
    expires = (timezone.now() + HOUR).isoformat()
    options = {"headers": {"colour": "red"}, "priority": 3, "expires": expires}
    publish(make_run(options=options), app=current_app, producer=producer)
    [message] = messages()
    assert message.headers["colour"] == "red"
    assert message.headers["expires"] == expires
    assert message.properties["priority"] == 3


@pytest.mark.parametrize(("planned_by", "planned"), [("rule", True), ("code", False)])
def test_a_message_says_whether_its_run_was_planned(
    planned_by: str, planned: bool, messages: Messages, producer: Any
) -> None:
    publish(make_run(planned_by=planned_by), app=current_app, producer=producer)
    [message] = messages()
    assert message.headers["planned"] is planned


def test_the_place_in_a_chord_reaches_the_message(messages: Messages, producer: Any) -> None:
    body = dict(tasks.total.s())
    options = {"group_id": "g", "group_index": 1, "chord": body, "callbacks": [dict(tasks.report.si())]}
    publish(make_run(options=options), app=current_app, producer=producer)
    [message] = messages()
    assert (message.headers["group"], message.headers["group_index"]) == ("g", 1)
    embedded = message.payload[2]
    assert embedded["chord"]["task"] == tasks.total.name
    assert embedded["callbacks"][0]["task"] == tasks.report.name


def test_secret_arguments_are_not_in_the_headers(messages: Messages, producer: Any) -> None:
    run = make_run(tasks.log_in, args=["ann"], kwargs={"password": "hush"})
    publish(run, app=current_app, producer=producer)
    [message] = messages()
    assert "hush" not in str(message.headers)
    assert message.payload[1] == {"password": "hush"}


def leased(**fields: Any) -> Run:
    make_run(hand_over_at=ago(), **fields)
    [run] = lease_due(now=timezone.now())
    return run


def test_what_was_published_is_marked() -> None:
    run = leased()
    now = timezone.now()
    mark_published([run], now=now)
    run = reload(run)
    assert (run.handed_over_at, run.hand_overs) == (now, 1)


@pytest.mark.parametrize(
    ("hand_overs", "minutes"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (40, 60), (30_000, 60)]
)
def test_the_pause_until_it_is_doubted_grows_to_an_hour(hand_overs: int, minutes: int) -> None:
    run = leased(hand_overs=hand_overs)
    now = timezone.now()
    mark_published([run], now=now)
    assert reload(run).hand_over_at == now + timedelta(minutes=minutes)


def test_runs_of_different_pauses_are_marked_together() -> None:
    make_run(task_id="new", hand_over_at=ago())
    make_run(task_id="old", hand_over_at=ago(), hand_overs=2)
    runs = lease_due(now=timezone.now())
    now = timezone.now()
    mark_published(runs, now=now)
    pauses = {run.pk: run.hand_over_at - now for run in Run.objects.all() if run.hand_over_at}
    assert pauses == {"new": MINUTE, "old": 4 * MINUTE}


def test_marking_does_not_overwrite_the_time_of_a_retry() -> None:
    run = leased()
    at = timezone.now() + 6 * HOUR
    Run.objects.update(hand_over_at=at, attempt=2)
    mark_published([run], now=timezone.now())
    run = reload(run)
    assert (run.hand_over_at, run.handed_over_at) == (at, None)


def test_marking_does_not_put_a_cancelled_run_on_the_list() -> None:
    run = leased()
    Run.objects.update(hand_over_at=None)
    mark_published([run], now=timezone.now())
    assert reload(run).hand_over_at is None


def test_what_the_broker_did_not_take_is_given_back() -> None:
    run = leased()
    until = timezone.now() + SECOND
    release([run], until=until)
    run = reload(run)
    assert (run.hand_over_at, run.hand_overs) == (until, 0)


def test_giving_back_does_not_overwrite_the_time_of_a_retry() -> None:
    run = leased()
    at = timezone.now() + 6 * HOUR
    Run.objects.update(hand_over_at=at)
    release([run], until=timezone.now())
    assert reload(run).hand_over_at == at


def test_giving_back_nothing_costs_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        release([], until=timezone.now())
