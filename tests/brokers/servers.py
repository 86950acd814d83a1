"""The brokers beside Redis, as real servers (Amazon SQS as an emulator), each empty at every start.

Each takes the port it is to listen on, so that it can be started again in the same place.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from kombu import Connection

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


@contextmanager
def redis(port: int) -> Iterator[Service]:
    with temporary_folder() as folder, run_redis(folder, port) as service:
        yield service


@contextmanager
def rabbitmq(port: int) -> Iterator[Service]:
    server, mapper = require("rabbitmq-server", **RABBITMQ), require("epmd", package="erlang-base")
    owner = "rabbitmq" if os.geteuid() == 0 else None
    mapper_port = free_port()
    with temporary_folder(owner=owner) as folder, running([mapper, "-port", str(mapper_port)], user=owner):
        environment = os.environ | rabbitmq_environment(folder, port, mapper_port=mapper_port)
        # Asked to stop, it takes as long as it takes to start; nothing of it is kept.
        with running([server], user=owner, cwd=folder, env=environment, stop_by=signal.SIGKILL) as process:
            url = f"amqp://guest:guest@127.0.0.1:{port}//"
            wait_until(lambda: takes_connections(url), process, seconds=BOOT_SECONDS)
            yield Service(url=url, process=process)


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
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_SERVER_ERL_ARGS": "+sbwt none",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper_port),
    }


@contextmanager
def zookeeper(port: int) -> Iterator[Service]:
    require_module("kazoo", group="zookeeper")
    java = require("java", package="zookeeper")
    if not (JARS / "zookeeper.jar").exists():
        miss("ZooKeeper is not installed (Debian: apt install zookeeper)")
    with temporary_folder() as folder:
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
def sqs(port: int) -> Iterator[Service]:
    """An emulator: it takes the calls of the real service, and says nothing of its speed or limits."""
    for module in ("boto3", "pycurl"):
        require_module(module, group="sqs")
    require_module("moto", group="emulators")
    with running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]) as process:
        wait_until(lambda: listens(port), process, seconds=BOOT_SECONDS)
        url = f"sqs://key:secret@127.0.0.1:{port}/?region=eu-central-1&is_secure=false"
        yield Service(url=url, process=process)


SERVERS: dict[str, Callable[[int], AbstractContextManager[Service]]] = {
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
