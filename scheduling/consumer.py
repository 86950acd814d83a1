"""What takes messages in a worker: one that is no task's is deleted and counted, and harms nobody."""

from collections.abc import Callable
from copy import copy
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.utils.log import get_logger
from celery.worker import consumer
from django_celery_results.models import TaskResult
from kombu import Message
from kombu.exceptions import ContentDisallowed

from scheduling.encoding import printable

logger = get_logger(__name__)

WORDS_LENGTH = 300
ID_LENGTH = TaskResult._meta.get_field("task_id").max_length

type Receive = Callable[[Message], None]


class Consumer(consumer.Consumer):
    """Celery's own, which begins anew for ever at some messages.

    Attributes:
        refused: how many messages were, since the worker started.
        refused_because: why the last one was.
    """

    refused = 0
    refused_because = ""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Receive:
        """Return what is called with each message."""
        handle = super().create_task_handler(*args, **kwargs)

        def receive(message: Message) -> None:
            try:
                check_message(message)
                handle(message)
            except self.connection_errors:
                raise
            except Exception as error:
                # One message that nobody foresaw must not hold up all others: it would come again and again.
                self._refuse(message, error)

        return receive

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Refuse a message that could not be unpacked."""
        self._refuse(message, exc)

    def on_invalid_task(self, body: Any, message: Message, exc: Exception) -> None:
        """Refuse a message whose headers make no sense."""
        self._refuse(message, exc)

    def on_unknown_task(self, body: Any, message: Message, exc: Exception) -> None:
        """Fail its run as Celery does, but keep its arguments out of the log: some may be secret."""
        bare = copy(message)
        bare.headers = {name: message.headers[name] for name in ("id", "task")}
        super().on_unknown_task("not shown", bare, exc)

    def _refuse(self, message: Message, error: Exception) -> None:
        self.refused += 1
        # It may quote the message, which may hold what no database takes.
        self.refused_because = printable(str(error) or type(error).__name__)[:WORDS_LENGTH]
        logger.error("Refused a message: %s", self.refused_because)
        if not message.acknowledged:
            # Not rejected: Amazon SQS would bring it again and again.
            message.ack_log_error(logger, self.connection_errors)


def check_message(message: Message) -> None:
    """Refuse what is not a task's message.

    Raises:
        InvalidTaskError: it is in a forbidden format, cannot be read, or does not say what to run.
    """
    try:
        body = message.payload
    except ContentDisallowed as error:
        raise InvalidTaskError(f"its format {message.content_type} is forbidden") from error
    except Exception as error:
        raise InvalidTaskError(f"it cannot be read: {error}") from error
    if not all(isinstance(message.headers.get(name), str) for name in ("task", "id")):
        raise InvalidTaskError("its headers name no task and no id")
    if printable(message.headers["id"])[:ID_LENGTH] != message.headers["id"]:
        raise InvalidTaskError("its id is none that a database stores")
    if not isinstance(body, list) or [type(part) for part in body] != [list, dict, dict]:
        raise InvalidTaskError("its body is not a task's arguments")
