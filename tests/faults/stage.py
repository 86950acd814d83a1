"""What a measurement plays on: a database and a broker of its own, which it may stop, freeze and empty."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command

from backoffice.embedded_broker import embedded_broker
from tests import services

BACKENDS = {
    "sqlite": "SQLite, embedded broker",
    "postgresql": "PostgreSQL, Redis",
}
CONNECTIONS = "max_connections=300"

type Running = AbstractContextManager[services.Service]


class Server:
    """A server that can be stopped and started again in the same place."""

    def __init__(self, run: Callable[[], Running]) -> None:
        self._run = run
        self._running = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.service = self._running.enter_context(self._run())

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self._running.close()

    def freeze(self) -> None:
        """Let it accept connections, as the kernel does, and answer none."""
        services.signal_group(self.service.process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        services.signal_group(self.service.process, signal.SIGCONT)


@dataclass(frozen=True)
class Stage:
    """The servers of one measurement; SQLite has no database server."""

    backend: str
    folder: Path
    broker: Server
    database: Server | None = None


@contextmanager
def stage(backend: str) -> Iterator[Stage]:
    """Start the servers, point the settings at them and make the tables.

    Settings are read once in a process, so a process can be on one stage only.
    """
    with services.temporary_folder() as folder, ExitStack() as servers:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "VAR_DIR": str(folder)}
        made = _on_sqlite(folder) if backend == "sqlite" else servers.enter_context(_on_postgresql(folder))
        servers.callback(made.broker.stop)
        django.setup()
        call_command("migrate", verbosity=0, run_syncdb=True)
        yield made


def _on_sqlite(folder: Path) -> Stage:
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("CELERY_BROKER_URL", None)
    return Stage("sqlite", folder, Server(lambda: _embedded(folder / "broker.sock")))


@contextmanager
def _embedded(socket: Path) -> Iterator[services.Service]:
    with embedded_broker(socket) as process:
        yield services.Service(url=f"redis+socket://{socket}?virtual_host=0", process=process)


@contextmanager
def _on_postgresql(folder: Path) -> Iterator[Stage]:
    with services.temporary_folder(owner=services.database_user()) as files:
        services.make_postgresql(files)
        ports = services.free_port(), services.free_port()
        database = Server(
            lambda: services.run_postgresql(files, ports[0], CONNECTIONS, stop_by=signal.SIGQUIT)
        )
        try:
            broker = Server(lambda: services.run_redis(folder, ports[1]))
            os.environ |= {"DATABASE_URL": database.service.url, "CELERY_BROKER_URL": broker.service.url}
            yield Stage("postgresql", folder, broker, database)
        finally:
            database.stop()
