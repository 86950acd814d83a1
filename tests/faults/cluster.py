"""Workers and schedulers as processes of their own, replaced when they die."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Self

from scheduling.models import Process

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.preload"])

WATCH_SECONDS = 0.05
STOP_SECONDS = 5


def forget_settings() -> None:
    """Let the processes started from now on read the environment as it is now."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def run_worker(name: str, concurrency: int, pool: str, queues: str | None) -> None:
    """Be a worker, in a process group of its own."""
    _leave_parent(name)
    from backoffice.celery import app

    app.Worker(
        hostname=f"{name}@faults",
        concurrency=concurrency,
        pool=pool,
        queues=queues,
        loglevel="WARNING",
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    ).start()


def run_scheduler(name: str) -> None:
    """Be a scheduler."""
    _leave_parent(name)
    from backoffice.celery import app

    app.Beat(loglevel="WARNING", quiet=True, pidfile=None).run()


def _leave_parent(name: str) -> None:
    from django.conf import settings

    os.setsid()
    log = os.open(settings.VAR_DIR / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


class Cluster:
    """Processes by name; one that dies is started again at once, as a supervisor would."""

    def __init__(self) -> None:
        self._starts: dict[str, Callable[[], ForkServerProcess]] = {}
        self._processes: dict[str, ForkServerProcess] = {}
        self._stopped = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Self:
        self._supervisor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._supervisor.join()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(STOP_SECONDS)
            _kill_group(process)

    def add_worker(
        self, name: str, *, concurrency: int = 2, pool: str = "prefork", queues: str | None = None
    ) -> None:
        """Start a worker and keep it running."""
        self._keep(name, lambda: FORKS.Process(target=run_worker, args=(name, concurrency, pool, queues)))

    def add_scheduler(self, name: str) -> None:
        """Start a scheduler and keep it running."""
        self._keep(name, lambda: FORKS.Process(target=run_scheduler, args=(name,)))

    def wait_until_alive(self, *, seconds: float = 60) -> None:
        """Wait for the first heartbeat of every process.

        Raises:
            TimeoutError: one is missing; its log is beside the database.
        """
        if not wait_until(lambda: Process.objects.count() >= len(self._starts), seconds=seconds):
            raise TimeoutError(f"of {sorted(self._starts)} only {list(Process.objects.all())} are alive")

    def pid(self, name: str) -> int:
        """Return the process id that has the name now."""
        return _pid(self._processes[name])

    def drop(self, name: str) -> None:
        """Let a process end, and do not start it again."""
        del self._starts[name]
        process = self._processes.pop(name)
        process.terminate()
        process.join(STOP_SECONDS)
        _kill_group(process)

    def _keep(self, name: str, start: Callable[[], ForkServerProcess]) -> None:
        self._starts[name] = start
        self._start(name)

    def _start(self, name: str) -> None:
        process = self._starts[name]()
        process.start()
        self._processes[name] = process

    def _supervise(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            for name, process in list(self._processes.items()):
                if not process.is_alive() and name in self._starts:
                    self._start(name)


def _pid(process: ForkServerProcess) -> int:
    if process.pid is None:
        raise RuntimeError(f"{process.name} was not started")
    return process.pid


def _kill_group(process: ForkServerProcess) -> None:
    """Kill what is left of it, its children too."""
    with suppress(ProcessLookupError):
        os.killpg(_pid(process), signal.SIGKILL)


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Wait for a condition.

    Returns:
        Whether it came true in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause)
    return condition()
