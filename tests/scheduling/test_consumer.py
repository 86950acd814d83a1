"""What a message must be. What becomes of those that are none is tried on real brokers."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app, states
from celery.exceptions import InvalidTaskError, NotRegistered
from django_celery_results.models import TaskResult
from kombu import Message

from scheduling.consumer import Consumer, check_message


def message(**headers: Any) -> Message:
    body = "[[], {}, {}]"
    named = {"id": "1", "task": "shop.tasks.send", **headers}
    return Message(
        body=body,
        content_type="application/json",
        content_encoding="utf-8",
        headers=named,
        accept=["application/json"],
    )


def test_a_tasks_message_passes() -> None:
    check_message(message(id="x" * 255))


@pytest.mark.parametrize("task_id", ["a\0b", "a\udcffb", "x" * 256])
def test_an_id_that_no_database_stores_is_refused(task_id: str) -> None:
    with pytest.raises(InvalidTaskError, match="its id is none that a database stores"):
        check_message(message(id=task_id))


@pytest.mark.django_db
def test_a_task_that_nobody_knows_fails_without_its_arguments_in_the_log(
    messages: Callable[[], list[Message]], caplog: pytest.LogCaptureFixture
) -> None:
    current_app.send_task("shop.tasks.gone", args=["hush"], kwargs={"pin": "hush"}, task_id="1")
    [received] = messages()
    assert "hush" in str(received.headers)
    consumer = Consumer.__new__(Consumer)
    consumer.app, consumer.event_dispatcher, consumer.connection_errors = current_app, None, ()
    consumer.on_unknown_task(received.payload, received, NotRegistered("shop.tasks.gone"))
    assert TaskResult.objects.get(task_id="1").status == states.FAILURE
    assert "shop.tasks.gone" in caplog.text
    assert "hush" not in caplog.text
