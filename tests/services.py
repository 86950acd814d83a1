"""Real servers for the tests: each on a free port, in a temporary folder, gone after its block."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

START_SECONDS = 30
STOP_SECONDS = 10
POSTGRESQL = {"package": "postgresql", "folders": "usr/lib/postgresql/*/bin"}


@dataclass(frozen=True)
class Service:
    """A running server: where it is, and its process to stop, freeze or kill."""

    url: str
    process: subprocess.Popen[bytes]


def require(program: str, *, package: str, folders: str = "") -> str:
    """Find a program, or skip the test that needs it (with REQUIRE_SERVICES=1, fail it).

    Args:
        program: its name.
        package: the Debian package that has it, for the words.
        folders: where else to look, as a glob from the root.
    """
    places = [str(folder) for folder in sorted(Path("/").glob(folders), reverse=True)] if folders else []
    found = shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *places]))
    if not found:
        miss(f"{program} is not installed (Debian: apt install {package})")
    return found


def require_module(name: str, *, group: str) -> None:
    """Find a Python module, or skip or fail as `require` does.

    Args:
        name: as it is imported.
        group: the dependency group that brings it.
    """
    if importlib.util.find_spec(name) is None:
        miss(f"{name} is not installed (scripts/poetry sync --with {group})")


def miss(words: str) -> NoReturn:
    """Skip the test for want of something, or fail it where services are required."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def redis_server(*options: str) -> Iterator[Service]:
    """Run Redis, with no persistence unless the options say otherwise."""
    with temporary_folder() as folder, run_redis(folder, free_port(), *options) as service:
        yield service


@contextmanager
def run_redis(folder: Path, port: int, *options: str) -> Iterator[Service]:
    """Run Redis on a given port, so that it can be started there again."""
    program = require("redis-server", package="redis-server")
    command = [program, "--port", str(port), "--dir", str(folder), "--save", "", *options]
    with running(command) as process:
        wait_until(lambda: redis_answers(port), process)
        yield Service(url=f"redis://127.0.0.1:{port}/0", process=process)


@contextmanager
def postgresql_server(*options: str) -> Iterator[Service]:
    """Run PostgreSQL with one empty database; the options are `name=value` settings."""
    with temporary_folder(owner=database_user()) as folder:
        make_postgresql(folder)
        with run_postgresql(folder, free_port(), *options) as service:
            yield service


def make_postgresql(folder: Path) -> None:
    """Make the files of a PostgreSQL server."""
    initdb = require("initdb", **POSTGRESQL)
    subprocess.run(
        [initdb, "--pgdata", folder / "data", "--username", "tests", "--auth", "trust", "--no-sync"],
        user=database_user(),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def run_postgresql(folder: Path, port: int, *options: str, stop_by: int = signal.SIGINT) -> Iterator[Service]:
    """Run PostgreSQL on files that are there and a given port, so that it can be started there again.

    Args:
        stop_by: the signal that ends it. SIGTERM would let it wait for every client; SIGQUIT ends it as
            a crash does: what was not yet on the disk is gone.
    """
    server = require("postgres", **POSTGRESQL)
    settings = [
        f"port={port}",
        "listen_addresses=127.0.0.1",
        f"unix_socket_directories={folder}",
        *options,
    ]
    arguments = [word for setting in settings for word in ("-c", setting)]
    start = [server, "-D", str(folder / "data"), *arguments]
    with running(start, user=database_user(), cwd=folder, stop_by=stop_by) as process:
        url = f"postgres://tests@127.0.0.1:{port}/postgres"
        wait_until(lambda: postgresql_answers(url), process)
        yield Service(url=url, process=process)


def database_user() -> str | None:
    """Name the user that PostgreSQL runs as: it refuses root."""
    return "postgres" if os.geteuid() == 0 else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def temporary_folder(*, owner: str | None = None) -> Iterator[Path]:
    # Short, and beside no other test's: sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="backoffice-"))
    try:
        if owner:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    command: list[str],
    *,
    user: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stop_by: int = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block lasts, its output kept from the screen."""
    process = subprocess.Popen(
        command,
        user=user,
        cwd=cwd,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        signal_group(process, signal.SIGCONT)  # one that a test froze would not hear the next
        process.send_signal(stop_by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a program and all that it has started: some are started by a shell."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def wait_until(
    condition: Callable[[], bool],
    process: subprocess.Popen[bytes] | None = None,
    *,
    seconds: float = START_SECONDS,
) -> None:
    """Wait until something holds, and fail when it does not in time or its process has ended."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if process and process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.05)


def redis_answers(port: int) -> bool:
    try:
        with Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except RedisError:
        return False


def postgresql_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
