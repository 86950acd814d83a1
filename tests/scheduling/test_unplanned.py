from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from celery import current_app, states
from celery.signals import after_task_publish
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu import Connection
from kombu.utils.json import dumps, loads

from orders.models import Category
from scheduling import unplanned
from scheduling.models import Run
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, deliver, make_run, reload

pytestmark = pytest.mark.django_db


@pytest.fixture
def producer() -> Iterator[Any]:
    """A broker in memory."""
    with Connection("memory://localhost") as connection:
        yield current_app.amqp.Producer(connection)


def test_a_message_of_third_party_code_is_recorded(producer: Any) -> None:
    sent = tasks.remember.apply_async(kwargs={"name": "é"}, producer=producer)
    run = Run.objects.select_related("task_result").get(pk=sent.id)
    assert run.task_result.status == states.PENDING
    assert run.task_result.task_name == tasks.remember.name
    assert (run.kwargs, run.queue, run.planned_by) == ({"name": "é"}, "celery", "code")
    assert run.handed_over_at is not None
    assert run.hand_over_at is None


def test_one_for_later_is_due_when_it_says(producer: Any) -> None:
    later = timezone.now() + HOUR
    sent = tasks.remember.apply_async(kwargs={"name": "é"}, producer=producer, eta=later)
    assert Run.objects.get(pk=sent.id).due_at == later


def test_one_sent_once_the_transaction_is_committed_is_recorded(
    producer: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.remember.apply_async_on_commit(kwargs={"name": "é"}, producer=producer)
    assert Run.objects.get().kwargs == {"name": "é"}


def test_its_arguments_are_whole(producer: Any) -> None:
    given = {"text": "x" * 5000, "when": datetime(2026, 5, 1, tzinfo=UTC), "amount": Decimal("1.10")}
    sent = tasks.remember.apply_async(kwargs=given, producer=producer)
    stored = Run.objects.get(pk=sent.id)
    assert stored.kwargs["text"] == given["text"]


def test_a_decimal_sent_again_arrives_as_a_decimal(producer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = tasks.remember.apply_async(kwargs={"amount": Decimal("1.10")}, producer=producer)
    assert loads(dumps(Run.objects.get(pk=sent.id).kwargs)) == {"amount": Decimal("1.10")}


def test_it_runs_and_ends(producer: Any) -> None:
    sent = tasks.record.apply_async(kwargs={"name": "x"}, producer=producer)
    deliver(Run.objects.select_related("task_result").get(pk=sent.id))
    assert TaskResult.objects.get().status == states.SUCCESS


def test_secret_arguments_are_hidden_in_the_message_too(producer: Any) -> None:
    sent: list[dict[str, Any]] = []

    def note(headers: dict[str, Any], **details: Any) -> None:
        sent.append(headers)

    after_task_publish.connect(note)
    tasks.log_in.apply_async(args=("ann",), kwargs={"password": "hush"}, producer=producer)
    after_task_publish.disconnect(note)
    assert "hush" not in str(sent)
    assert "hush" not in str(TaskResult.objects.values())
    assert Run.objects.get().kwargs == {"password": "hush"}


def test_a_member_of_a_chord_keeps_its_place_for_a_further_attempt(producer: Any) -> None:
    place = {"group_id": "g", "group_index": 1, "chord": tasks.total.s()}
    tasks.add.apply_async((1, 2), producer=producer, link=tasks.report.si(), **place)
    options = Run.objects.get().options
    assert (options["group_id"], options["group_index"]) == ("g", 1)
    assert options["chord"]["task"] == tasks.total.name
    assert options["callbacks"][0]["task"] == tasks.report.name


def test_its_expiry_is_kept_for_a_further_attempt(producer: Any) -> None:
    tasks.report.apply_async(expires=60, producer=producer)
    assert Run.objects.get().options["expires"]


def test_a_message_of_ours_is_not_recorded_twice(producer: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        tasks.report.apply_async(headers={"planned": True}, producer=producer)


def test_a_record_that_fails_does_not_break_the_callers_transaction(
    producer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(runs: Any) -> None:
        TaskResult.objects.create(task_id=None)

    monkeypatch.setattr(unplanned, "insert_runs", fail)
    with transaction.atomic():
        tasks.report.apply_async(producer=producer)
        Category.objects.create(name="still works")
    assert Category.objects.exists()


def test_a_message_from_a_publisher_that_knows_nothing_of_us_runs_and_is_recorded() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    TaskResult.objects.all().delete()
    deliver(run, planned=False)
    stored = Run.objects.select_related("task_result").get()
    assert stored.task_result.status == states.SUCCESS
    assert (stored.kwargs, stored.attempt) == ({"name": "x"}, 1)


def test_a_late_attempt_from_such_a_publisher_keeps_its_number() -> None:
    run = make_run(tasks.report, attempt=3)
    TaskResult.objects.all().delete()
    deliver(run, planned=False)
    assert Run.objects.get().attempt == 3


def test_a_planned_message_whose_run_is_gone_does_nothing() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    TaskResult.objects.all().delete()
    deliver(run)
    assert not Category.objects.exists()
    assert not TaskResult.objects.exists()


def test_a_message_delivered_twice_at_once_runs_once() -> None:
    run = make_run(tasks.record, kwargs={"name": "x"})
    TaskResult.objects.all().delete()
    deliver(run, planned=False)
    deliver(run, planned=False)
    assert Category.objects.count() == 1
    assert reload(run).task_result.status == states.SUCCESS


UNSTORABLE = [
    pytest.param("a\0b", "a\\0b", id="NUL"),
    pytest.param("a\udcffb", "a\\udcffb", id="half a character"),
    pytest.param(float("nan"), "nan", id="no number"),
]


@pytest.mark.parametrize(("given", "stored"), UNSTORABLE)
def test_what_no_database_stores_is_recorded_as_it_can_be(given: Any, stored: str, producer: Any) -> None:
    tasks.remember.apply_async(kwargs={"name": [{"x": given}]}, producer=producer)
    run = Run.objects.get()
    assert run.kwargs == {"name": [{"x": stored}]}
    assert "a further attempt" in run.reason


@pytest.mark.parametrize(("given", "stored"), UNSTORABLE)
def test_and_is_run_with_what_it_was_given(given: Any, stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(tasks.remember, "run", lambda **values: seen.append(values["name"]))
    run = make_run(tasks.remember, kwargs={"name": "x"})
    TaskResult.objects.all().delete()
    run.kwargs = {"name": given}
    deliver(run, planned=False)
    assert seen == [given]
    run = reload(run)
    assert (run.task_result.status, run.kwargs) == (states.SUCCESS, {"name": stored})
