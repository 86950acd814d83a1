"""Heartbeats of workers and schedulers, in the database, because not every broker carries events."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery.utils.log import get_logger
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from scheduling.forks import apart_from_forks
from scheduling.models import Process
from scheduling.undelivered import BEAT, send_again

logger = get_logger(__name__)

SECONDS = BEAT.total_seconds()


def register(name: str, *, kind: str, started_at: datetime, **details: Any) -> None:
    """Say that a process has started; it takes the place of an earlier one of the same name.

    An earlier one that did not sign off was killed, with the messages it had.

    Args:
        started_at: runs that a process of this name claimed before then are lost.
    """
    killed = Process.objects.filter(name=name).first()
    if killed:
        send_again(killed)
    Process.objects.update_or_create(
        name=name,
        defaults={
            "kind": kind,
            "started_at": started_at,
            "seen_at": timezone.now(),
            "hostname": socket.gethostname(),
            "pid": os.getpid(),
            "broker_failing_since": None,
            "broker_error": "",
            **details,
        },
    )


def beat(name: str, *, started_at: datetime, **details: Any) -> bool:
    """Say that a process is alive.

    Args:
        details: what else to record; `seen_at`, if that was right some time before now.

    Returns:
        False if another process has taken its name, or its row was deleted.
    """
    mine = Process.objects.filter(name=name, started_at=started_at)
    return bool(mine.update(**{"seen_at": timezone.now(), **details}))


def sign_off(name: str, *, started_at: datetime) -> None:
    """Say that a process has ended, so that nobody waits for its silence to be noticed."""
    Process.objects.filter(name=name, started_at=started_at).delete()


class Heart(threading.Thread):
    """Beats for a worker, beside its event loop: a slow database must not hold up its messages.

    Args:
        name: the worker's name.
        details: returns what else to record at each beat.
        errand: done at each beat.
    """

    def __init__(
        self,
        name: str,
        *,
        kind: str,
        details: Callable[[], dict[str, Any]],
        errand: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare; `start` registers the process."""
        super().__init__(name="heart", daemon=True)
        self._process = name
        self._kind = kind
        self._details = details
        self._errand = errand
        self._started_at = timezone.now()
        self._registered = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Beat once, so that nobody takes the first runs for lost; then go on beside the worker."""
        self._try_to_beat()
        super().start()

    def run(self) -> None:
        """Beat until stopped."""
        while not self._stopped.wait(SECONDS):
            with apart_from_forks():
                self._try_to_beat()
        self._sign_off()

    def stop(self) -> None:
        """End and sign off."""
        self._stopped.set()
        self.join(timeout=SECONDS)

    def _try_to_beat(self) -> None:
        try:
            self._beat()
            self._errand()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("No heartbeat, the database does not answer: %s", error)
            connection.close()
        except Exception:
            # A heart that stops has all the worker's runs taken away.
            logger.exception("No heartbeat")

    def _beat(self) -> None:
        # First: a run that starts after the list was made must not seem to be missing in it.
        seen_at = timezone.now()
        details = {"seen_at": seen_at, **self._details()}
        if seen_at < self._started_at:
            # The clock was set back: runs claimed from now on would seem older than their worker, and lost.
            self._started_at, self._registered = seen_at, False
        if self._registered and beat(self._process, started_at=self._started_at, **details):
            return
        if self._registered and Process.objects.filter(name=self._process).exists():
            logger.error(
                "Another process is called %s: give each a name of its own",
                self._process,
            )
            self._started_at = timezone.now()
        register(self._process, kind=self._kind, started_at=self._started_at, **details)
        self._registered = True

    def _sign_off(self) -> None:
        try:
            if self._registered:
                sign_off(self._process, started_at=self._started_at)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Not signed off, the database does not answer: %s", error)
        connection.close()
