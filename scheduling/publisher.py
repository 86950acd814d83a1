"""The thread that hands runs over, so that a silent broker never holds up planning and rescue."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import batched

from celery import Celery
from celery.utils.log import get_logger
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from kombu import Connection, Producer
from kombu.exceptions import BatchPublishError, OperationalError

from scheduling.brokers import TAKES_NOTHING
from scheduling.exceptions import UnknownTask
from scheduling.handover import lease_due, mark_published, publish, release
from scheduling.models import Run

logger = get_logger(__name__)

IDLE_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

AT_ONCE = 100
"""Messages sent in one round trip to a broker that takes several, and sent again if it fails in it."""

BROKER_FAILED = (OperationalError, BatchPublishError, OSError, *TAKES_NOTHING)


class Publisher(threading.Thread):
    """Publishes the runs it is given and those it finds due in the database.

    Attributes:
        failing_since: when the broker stopped taking messages, or None.
        error: why, in the client library's words.
    """

    def __init__(self, app: Celery, *, failing_since: datetime | None = None) -> None:
        """Prepare; nothing is connected before the first message.

        Args:
            app: whose tasks and broker.
            failing_since: set if it takes the place of one that got no answer.
        """
        super().__init__(name="publisher", daemon=True)
        self.failing_since = failing_since
        self.error = ""
        self._app = app
        self._batches: queue.SimpleQueue[Sequence[Run]] = queue.SimpleQueue()
        self._taken = threading.Event()
        self._taken.set()
        self._stopped = threading.Event()
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._look_at = 0.0
        self._waiting_since: float | None = None
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def put(self, runs: Sequence[Run]) -> None:
        """Hand these over next; the caller has leased them."""
        if runs:
            self._taken.clear()
            self._batches.put(runs)

    def wait_until_taken(self, seconds: float) -> bool:
        """Wait until it has taken all it was given, at most so long.

        Returns:
            Whether it has, so that it can do with more.
        """
        return self._taken.wait(seconds)

    def silent_for(self) -> float:
        """Return for how many seconds the message under way has not been answered."""
        since = self._waiting_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self) -> None:
        """End after the message under way, and give back what was not published."""
        self._stopped.set()
        self._batches.put([])

    def run(self) -> None:
        """Publish until stopped."""
        while not self._stopped.is_set():
            try:
                self.step()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The database does not answer: %s", error)
                self._rest()
            except Exception:
                # Nobody would hand anything over any more.
                logger.exception("The publisher goes on after")
                self._rest()
        self._leave()

    def _rest(self) -> None:
        connection.close()
        self._stopped.wait(IDLE_SECONDS)

    def _leave(self) -> None:
        """Give back what it was given and has not begun, for a scheduler that goes on."""
        given = [run for batch in iter_waiting(self._batches) for run in batch]
        with suppress(DatabaseError, InterfaceError):
            release(given, until=timezone.now())
        connection.close()

    def step(self) -> None:
        """Hand over the next batch it was given and, now and then, what is due in the database."""
        self._hand_over(self._next_batch())
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + IDLE_SECONDS
            self._hand_over(lease_due(now=timezone.now()))

    def _hand_over(self, runs: Sequence[Run]) -> None:
        if not runs:
            return
        if self.failing_since is not None:
            # Held by a silent broker, this thread must not hold a connection to the database too.
            connection.close()
        began_at = timezone.now()
        published, error = self._publish_in_turn(runs)
        if published:
            mark_published(published, now=began_at)
        taken = set(published)
        left = [run for run in runs if run not in taken]
        if error:
            self._broker_failed(error, left)
            return
        release(left, until=timezone.now())
        if published:
            self._broker_answered()

    def _publish_in_turn(self, runs: Sequence[Run]) -> tuple[list[Run], Exception | None]:
        """Publish until the broker fails or this thread is to stop."""
        published: list[Run] = []
        for batch in batched(runs, AT_ONCE):
            taken, error = self._publish_together(batch)
            published += taken
            if error:
                return published, error
        return published, None

    def _publish_together(self, runs: Sequence[Run]) -> tuple[list[Run], Exception | None]:
        """Publish a batch: in one round trip if the broker can, else one by one.

        Returns:
            What the broker surely has, and why it has no more.
        """
        producer = self._connected()
        taken: list[Run] = []
        try:
            with producer.batch(AT_ONCE):
                for run in runs:
                    if not self._stopped.is_set() and self._publish(run, producer):
                        taken.append(run)
                self._waiting_since = time.monotonic()
        except BROKER_FAILED as error:
            return ([] if producer.supports_batch_publish else taken), error
        finally:
            self._waiting_since = None
        return taken, None

    def _next_batch(self) -> Sequence[Run]:
        try:
            batch = self._batches.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return []
        if self._batches.empty():
            self._taken.set()
        return batch

    def _publish(self, run: Run, producer: Producer) -> bool:
        self._waiting_since = time.monotonic()
        try:
            publish(run, app=self._app, producer=producer)
        except BROKER_FAILED:
            raise
        except UnknownTask as error:
            # Tried again it would wait for ever, and nobody would see why.
            logger.error("%s has failed: %s", run.pk, error)
            self._app.backend.mark_as_failure(run.pk, error)
            return False
        except Exception as error:
            if self._connection and isinstance(error, self._connection.connection_errors):
                raise OperationalError(str(error)) from error
            # One message that cannot be built must not hold up the others behind it.
            logger.exception("%s cannot be handed over", run.pk)
            release([run], until=timezone.now() + timedelta(seconds=LONGEST_PAUSE_SECONDS))
            return False
        return True

    def _connected(self) -> Producer:
        if self._producer is None:
            # Connecting is tried once: kombu's own tries take seconds, and this thread's pauses follow.
            self._connection = self._app.connection_for_write(transport_options={"max_retries": 0})
            self._producer = self._app.amqp.Producer(self._connection)
        return self._producer

    def _broker_failed(self, error: Exception, runs: Sequence[Run]) -> None:
        if self.failing_since is None:
            self.failing_since = timezone.now()
            logger.error("The broker takes no messages, runs wait in the database: %s", error)
        # A batch that failed says so; its cause says why.
        self.error = str(error.__cause__ or error)
        release(runs, until=timezone.now() + timedelta(seconds=self._pause_seconds))
        if self._connection is not None:
            # Whatever closing a broken connection says, it was broken before.
            with suppress(Exception):
                self._connection.collapse()
        self._connection = self._producer = None
        self._stopped.wait(self._pause_seconds)
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _broker_answered(self) -> None:
        if self.failing_since is not None:
            logger.warning(
                "The broker takes messages again, after %s",
                timezone.now() - self.failing_since,
            )
        self.failing_since = None
        self.error = ""
        self._pause_seconds = FIRST_PAUSE_SECONDS


def iter_waiting[T](waiting: queue.SimpleQueue[T]) -> Iterator[T]:
    """Yield what is in a queue, and end when it is empty."""
    with suppress(queue.Empty):
        while True:
            yield waiting.get_nowait()
