"""Web, worker and scheduler beside each other, and the broker under them when none is named."""

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import nullcontext

from django.conf import settings
from honcho.compat import ProcessManager
from honcho.manager import Manager

from backoffice.embedded_broker import embedded_broker

PYTHON = shlex.quote(sys.executable)
STOP_SECONDS = 15


def run(*, port: int) -> int:
    """Run the group until Ctrl-C, or until one of its processes ends.

    The broker starts first and stops last. The others are asked to stop together: the worker
    finishes what it runs, and is cut off after `STOP_SECONDS` (a run that is cut off is found and
    run again after the next start).

    Args:
        port: where the web process listens, on this machine only.

    Returns:
        An exit status: that of the process that ended first, 130 after Ctrl-C.

    Raises:
        BrokerError: the embedded broker is needed and cannot run.
    """
    socket = settings.EMBEDDED_BROKER_SOCKET
    with embedded_broker(socket) if socket else nullcontext() as broker:
        group = ProcessGroup(broker)
        for name, command in commands(port).items():
            group.add_process(name, f"exec {PYTHON} -m {command}", env=os.environ | {"PYTHONUNBUFFERED": "1"})
        group.loop()
        return group.returncode or 0


def commands(port: int) -> dict[str, str]:
    """Name each process and the module that runs it, with its arguments."""
    return {
        "web": f"gunicorn backoffice.wsgi --bind 127.0.0.1:{port} --threads 8 --no-control-socket",
        "worker": "celery --quiet -A backoffice worker --loglevel INFO --concurrency 2",
        "scheduler": "celery --quiet -A backoffice beat --loglevel INFO --pidfile=",
    }


class ProcessGroup(Manager):
    """honcho's manager, which also watches the broker and lets the worker finish its runs."""

    returncode: int | None = None

    def __init__(self, broker: subprocess.Popen[bytes] | None) -> None:
        super().__init__()
        self._broker = broker
        self._procmgr = AskLeaders()

    def terminate(self) -> None:
        """Ask all processes to stop; on Ctrl-C while they start, `loop` asks again once they have."""
        if self._all_started():
            self._asked_at = time.monotonic()
            super().terminate()

    def kill(self) -> None:
        """Kill those that have not stopped in time; honcho alone would after five seconds."""
        if time.monotonic() > self._asked_at + STOP_SECONDS:
            super().kill()

    def _any_stopped(self) -> bool:
        if self._broker and self._broker.poll() is not None and self.returncode is None:
            self.returncode = 1
            self._system_print("the broker ended\n")
        return self.returncode is not None or super()._any_stopped()


class AskLeaders(ProcessManager):
    """Asks a process itself to stop, and kills it with its children.

    honcho asks the whole group, and the children of a Celery worker obey at once, in the middle
    of a run.
    """

    def terminate(self, pid: int) -> None:
        """Ask one process to stop."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
