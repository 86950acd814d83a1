"""The brokers as real servers (Amazon SQS as an emulator).

Each is run in a folder and on a port that it is given, so that it can be started again in the same place,
with what it kept there or without.
"""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from kombu import Connection

from tests.faults.stage import Server
from tests.services import (
    Service,
    free_port,
    miss,
    require,
    require_module,
    run_redis,
    running,
    temporary_folder,
    wait_until,
)

RABBITMQ = {"package": "rabbitmq-server", "folders": "usr/lib/rabbitmq/bin"}
JARS = Path("/usr/share/java")
ZOOKEEPER_JARS = [
    "zookeeper",
    "zookeeper-jute",
    "slf4j-api",
    "slf4j-simple",
    "netty-all",
    "netty-handler",
    "netty-transport",
    "netty-buffer",
    "netty-common",
    "netty-codec",
    "netty-resolver",
    "netty-transport-native-epoll",
    "netty-transport-native-unix-common",
    "jline",
    "commons-cli",
    "commons-lang",
    "commons-io",
    "snappy-java",
    "metrics-core",
]
BOOT_SECONDS = 90
"""RabbitMQ needs 12 s on an idle machine."""


class Broker(Server):
    """A broker that keeps its files when it is stopped, until it is told to forget them.

    Attributes:
        keeps: whether it has any: an emulator has not.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.keeps = name != "sqs"
        self._folder = folder
        port = free_port()
        super().__init__(lambda: SERVERS[name](folder, port))

    def forget(self) -> None:
        """Delete all it kept; it must be stopped."""
        for kept in self._folder.iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()


@contextmanager
def broker(name: str) -> Iterator[Broker]:
    """Run a broker in a folder of its own."""
    with temporary_folder(owner=rabbitmq_user() if name == "rabbitmq" else None) as folder:
        made = Broker(name, folder)
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def redis(folder: Path, port: int) -> Iterator[Service]:
    with run_redis(folder, port, "--appendonly", "yes") as service:
        yield service


@contextmanager
def rabbitmq(folder: Path, port: int) -> Iterator[Service]:
    server, mapper = require("rabbitmq-server", **RABBITMQ), require("epmd", package="erlang-base")
    mapper_port = free_port()
    environment = os.environ | rabbitmq_environment(folder, port, mapper_port=mapper_port)
    user = rabbitmq_user()
    with (
        running([mapper, "-port", str(mapper_port)], user=user, cwd=folder),
        # Asked to stop, it takes as long as it takes to start. What it confirmed is on disk by then.
        running([server], user=user, cwd=folder, env=environment, stop_by=signal.SIGKILL) as process,
    ):
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        wait_until(lambda: takes_connections(url), process, seconds=BOOT_SECONDS)
        yield Service(url=url, process=process)


def rabbitmq_user() -> str | None:
    """Name the user that RabbitMQ runs as: Debian's script refuses root."""
    return "rabbitmq" if os.geteuid() == 0 else None


def rabbitmq_environment(folder: Path, port: int, *, mapper_port: int) -> dict[str, str]:
    """Keep a RabbitMQ server from all that others on this machine use."""
    (folder / "plugins").write_text("[].")
    (folder / "plugins").chmod(0o644)
    return {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"tests{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "expanded"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_SERVER_ERL_ARGS": "+sbwt none",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper_port),
    }


@contextmanager
def zookeeper(folder: Path, port: int) -> Iterator[Service]:
    require_module("kazoo", group="zookeeper")
    java = require("java", package="zookeeper")
    if not (JARS / "zookeeper.jar").exists():
        miss("ZooKeeper is not installed (Debian: apt install zookeeper)")
    configuration = folder / "zoo.cfg"
    configuration.write_text(
        f"tickTime=500\ndataDir={folder}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
        "admin.enableServer=false\nforceSync=no\n"
    )
    jars = os.pathsep.join(str(JARS / f"{name}.jar") for name in ZOOKEEPER_JARS)
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    with running([java, "-Xmx256m", "-cp", jars, main, str(configuration)], cwd=folder) as process:
        wait_until(lambda: zookeeper_answers(port), process, seconds=BOOT_SECONDS)
        yield Service(url=f"zookeeper://127.0.0.1:{port}/", process=process)


@contextmanager
def sqs(folder: Path, port: int) -> Iterator[Service]:
    """An emulator: it takes the calls of the real service, keeps nothing, and says nothing of its speed."""
    for module in ("boto3", "pycurl"):
        require_module(module, group="sqs")
    require_module("moto", group="emulators")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command) as process:
        wait_until(lambda: listens(port), process, seconds=BOOT_SECONDS)
        url = f"sqs://key:secret@127.0.0.1:{port}/?region=eu-central-1&is_secure=false"
        yield Service(url=url, process=process)


SERVERS: dict[str, Callable[[Path, int], AbstractContextManager[Service]]] = {
    "redis": redis,
    "rabbitmq": rabbitmq,
    "sqs": sqs,
    "zookeeper": zookeeper,
}


def takes_connections(url: str) -> bool:
    with suppress(OSError), Connection(url, connect_timeout=1) as connection:
        connection.connect()
        return True
    return False


def zookeeper_answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        client.sendall(b"srvr")
        return client.recv(100).startswith(b"Zookeeper version")
    return False


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
