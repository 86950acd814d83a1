"""What a message must be. What becomes of those that are none is tried on real brokers."""

from typing import Any

import pytest
from celery.exceptions import InvalidTaskError
from kombu import Message

from scheduling.consumer import check_message


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
