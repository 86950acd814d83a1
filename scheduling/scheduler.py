"""The scheduler that `celery beat` runs: claims what is due, hands it over, puts back what was lost."""

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from celery import Celery, beat
from celery.utils.log import get_logger
from django.db import DatabaseError, connection
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
        self._started_at: datetime | None = None
        self._publisher = Publisher(app)
        self._watch = Watch()
        self._errands = [
            Errand(self._beat, heartbeat.SECONDS),
            Errand(self._follow_edits, EDITS_SECONDS),
            Errand(self._rescue, RESCUE_SECONDS),
            Errand(self._watch_alerts, ALERTS_SECONDS),
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
        except DatabaseError as error:
            logger.error("The database does not answer, trying again: %s", error)
            self._listening = False
            connection.close()
            time.sleep(POLL_SECONDS)
        return 0

    def close(self) -> None:
        """Stop publishing and sign off; what is leased is free for others within `LEASE`."""
        self._publisher.stop()
        try:
            if self._started_at:
                heartbeat.sign_off(self._name, started_at=self._started_at)
        except DatabaseError as error:
            logger.warning("Not signed off, the database does not answer: %s", error)

    def _work(self) -> bool:
        """Claim one batch.

        Returns:
            Whether there may be more.
        """
        if self._started_at is None:
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
        started_at = timezone.now()
        heartbeat.register(self._name, kind=Process.Kind.SCHEDULER, started_at=started_at)
        self._started_at = started_at
        if not self._publisher.is_alive():
            self._publisher.start()

    def _beat(self) -> None:
        self._replace_hung_publisher()
        if self._started_at is None:
            return
        heartbeat.beat(
            self._name,
            started_at=self._started_at,
            broker_failing_since=self._publisher.failing_since,
            broker_error=self._publisher.error,
        )

    def _replace_hung_publisher(self) -> None:
        """Leave a publisher behind that a silent broker holds; no client's own time limit is sure.

        ZooKeeper's holds a publish for minutes whatever it is told. The old thread ends by itself
        when it is let go; a message that it still sends then is one too many, and does nothing.
        """
        silent_seconds = self._publisher.silent_for()
        if silent_seconds < SILENT_BROKER_SECONDS:
            return
        held = self._publisher
        held.stop()
        self._publisher = Publisher(self.app, failing_since=held.failing_since or timezone.now())
        self._publisher.error = f"no answer for {silent_seconds:.0f} seconds"
        logger.error("The broker does not answer, runs wait in the database")
        self._publisher.start()

    def _follow_edits(self) -> None:
        follow_edits(now=timezone.now())

    def _watch_alerts(self) -> None:
        alerting.watch(now=timezone.now())

    def _rescue(self) -> None:
        rescue_lost(self._watch)
        forget_silent()


class Errand:
    """Something to do every so many seconds, by the steady clock."""

    def __init__(self, do: Callable[[], None], every_seconds: float) -> None:
        """Due at once."""
        self._do = do
        self._every_seconds = every_seconds
        self._due = 0.0

    def run_if_due(self) -> None:
        """Do it if it is time."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._every_seconds
            self._do()
