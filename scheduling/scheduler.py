"""The scheduler that `celery beat` runs: claims what is due, hands it over, puts back what was lost."""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import Celery, beat
from celery.utils.log import get_logger
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from scheduling import alerting, heartbeat
from scheduling.code_schedules import sync_code_schedules
from scheduling.definitions import follow_edits
from scheduling.due import claim_due
from scheduling.handover import LEASE
from scheduling.models import Process
from scheduling.publisher import Publisher
from scheduling.recurring import claim_occurrences
from scheduling.rescue import Watch, forget_silent, rescue_lost
from scheduling.wakeup import can_wake, listen, wait_for_word

logger = get_logger(__name__)

POLL_SECONDS = 0.5
EDITS_SECONDS = 2.0
RESCUE_SECONDS = 5.0
ALERTS_SECONDS = 30.0
SILENT_BROKER_SECONDS = 20.0
LONGEST_PATIENCE_SECONDS = 300.0
CLOSE_SECONDS = 2.0
"""`celery beat` has ended within five, whatever the database and the broker do."""


class Scheduler(beat.Scheduler):
    """Claims due work in short transactions; any number of these may run at once, with no leader.

    Three steps that are each safe to repeat: *due* (`claim_due`, `claim_occurrences`) writes runs,
    *hand-over* (`Publisher`, a thread of its own) publishes them, *rescue* (`rescue_lost`) puts back
    what a lost worker had. No transaction is open while the network is waited for.
    """

    max_interval = POLL_SECONDS

    def __init__(self, app: Celery, **kwargs: Any) -> None:
        """Prepare; the database is first asked in `tick`, which outlives its absence."""
        self._name = f"scheduler@{socket.gethostname()}:{os.getpid()}"
        self._started_at = timezone.now()
        self._registered = False
        self._closed = False
        self._publisher = Publisher(app)
        self._patience_seconds = SILENT_BROKER_SECONDS
        self._watch = Watch()
        self._errands = [
            Errand(self._beat, heartbeat.SECONDS),
            Errand(self._follow_edits, EDITS_SECONDS),
            Errand(self._rescue, RESCUE_SECONDS),
            # Not at once: what was due while no scheduler ran is claimed in the next moment.
            Errand(self._watch_alerts, ALERTS_SECONDS, first_after_seconds=ALERTS_SECONDS),
        ]
        super().__init__(app, **kwargs)

    def setup_schedule(self) -> None:
        """Nothing: the schedules are in the database."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do what is due, then wait for more.

        Returns:
            0, always: it waits here, where a word from the database can end the wait.
        """
        try:
            if not self._work():
                self._wait()
        except (DatabaseError, InterfaceError) as error:
            logger.error("The database does not answer, trying again: %s", error)
            self._rest()
        except Exception:
            # One row that nobody foresaw must not stop all work.
            logger.exception("The scheduler goes on after")
            self._rest()
        return 0

    def _rest(self) -> None:
        self._listening = False
        connection.close()
        time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Stop publishing and sign off.

        Beat calls this twice, of which once is enough, and first inside its signal handler: the main thread
        may be in the middle of a statement, and its connection's lock held. So all is done in another
        thread, for so long.
        """
        if self._closed:
            return
        self._closed = True
        closing = threading.Thread(target=self._leave, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _leave(self) -> None:
        self._publisher.stop()
        try:
            if self._registered:
                heartbeat.sign_off(self._name, started_at=self._started_at)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Not signed off, the database does not answer: %s", error)
        finally:
            connection.close()
        if self._publisher.is_alive():
            self._publisher.join(CLOSE_SECONDS)

    def _work(self) -> bool:
        """Claim one batch.

        Returns:
            Whether there may be more.
        """
        if not self._registered:
            self._start()
        for errand in self._errands:
            errand.run_if_due()
        if not self._publisher.wait_until_taken(POLL_SECONDS):
            return True
        # While the broker takes nothing, work is still written down when it is due; the publisher
        # finds it in the database.
        failing = self._publisher.failing_since is not None
        lease = timedelta(0) if failing else LEASE
        now = timezone.now()
        claimed = [*claim_occurrences(now=now, lease=lease), *claim_due(now=now, lease=lease)]
        if not failing:
            self._publisher.put(claimed)
        return bool(claimed)

    _listening = False

    def _wait(self) -> None:
        if not can_wake(connection):
            time.sleep(POLL_SECONDS)
            return
        if not self._listening:
            listen()
            self._listening = True
            return
        wait_for_word(POLL_SECONDS)

    def _start(self) -> None:
        sync_code_schedules(self.app.conf.beat_schedule)
        self._register()
        if not self._publisher.is_alive():
            self._publisher.start()

    def _register(self) -> None:
        heartbeat.register(self._name, kind=Process.Kind.SCHEDULER, started_at=self._started_at)
        self._registered = True

    def _beat(self) -> None:
        self._replace_hung_publisher()
        alive = heartbeat.beat(
            self._name,
            started_at=self._started_at,
            broker_failing_since=self._publisher.failing_since,
            broker_error=self._publisher.error,
        )
        if not alive:
            self._register()

    def _replace_hung_publisher(self) -> None:
        """Leave a publisher behind that a silent broker holds; no client's own time limit is sure.

        ZooKeeper's holds a publish for minutes whatever it is told. The old thread ends by itself
        when it is let go; a message that it still sends then is one too many, and does nothing.
        """
        held = self._publisher
        if held.failing_since is None:
            self._patience_seconds = SILENT_BROKER_SECONDS
        silent_seconds = held.silent_for()
        if silent_seconds < self._patience_seconds:
            return
        # Each one left behind is a thread and a socket: a silent hour must not leave hundreds.
        self._patience_seconds = min(self._patience_seconds * 2, LONGEST_PATIENCE_SECONDS)
        held.stop()
        self._publisher = Publisher(self.app, failing_since=held.failing_since or timezone.now())
        self._publisher.error = f"no answer for {silent_seconds:.0f} seconds"
        if held.failing_since is None:
            logger.error("The broker does not answer, runs wait in the database")
        self._publisher.start()

    def _follow_edits(self) -> None:
        follow_edits(now=timezone.now())

    def _watch_alerts(self) -> None:
        alerting.watch(now=timezone.now())

    def _rescue(self) -> None:
        rescue_lost(self._watch)
        forget_silent(self._watch)


class Errand:
    """Something to do every so many seconds, by the steady clock."""

    def __init__(
        self, do: Callable[[], None], every_seconds: float, *, first_after_seconds: float = 0.0
    ) -> None:
        """Due at once, unless told otherwise."""
        self._do = do
        self._every_seconds = every_seconds
        self._due = time.monotonic() + first_after_seconds

    def run_if_due(self) -> None:
        """Do it if it is time."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._every_seconds
        try:
            self._do()
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            # The errands after this one, and the work itself, do not depend on it.
            logger.exception("Not done, and tried again in %s s", self._every_seconds)
