"""What is particular to one kind of broker, in one place."""

from dataclasses import dataclass
from importlib.util import find_spec

from redis import RedisError


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A kind of broker.

    Args:
        name: as people call it.
        clients: the modules that its transport needs.
        group: the dependency group that brings them, or nothing if Celery itself does.
        secure_scheme: that of its URLs with TLS, or nothing if there is none.
        first_priority: which of the priorities 0 to 9 it takes first, or nothing if it looks at none.
        lacks: what it cannot do, in words for staff.
    """

    name: str
    clients: tuple[str, ...]
    group: str = ""
    secure_scheme: str = ""
    first_priority: int | None = None
    lacks: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The modules that its transport needs and that are not installed."""
        return [name for name in self.clients if find_spec(name) is None]

    @property
    def how_to_install(self) -> str:
        """How to come by them, in words."""
        return f"Install its dependency group: scripts/poetry sync --with {self.group}"


REMOTE = ("Celery's remote control", "Celery's events")

REDIS = Broker(name="Redis", clients=("redis",), secure_scheme="rediss", first_priority=0)
# Its quorum queues look at no priority before its version 4, and at two of them since.
RABBITMQ = Broker(name="RabbitMQ", clients=("amqp",), secure_scheme="amqps", lacks=("priorities",))
SQS = Broker(name="Amazon SQS", clients=("boto3", "pycurl"), group="sqs", lacks=(*REMOTE, "priorities"))
ZOOKEEPER = Broker(
    name="ZooKeeper", clients=("kazoo",), group="zookeeper", first_priority=9, lacks=(*REMOTE, "TLS")
)

TAKES_NOTHING = (RedisError,)
"""What clients raise when the broker refuses any message, such as a Redis whose memory is full. Kombu
counts it among the faults of one message."""

BY_SCHEME = {
    "redis": REDIS,
    "rediss": REDIS,
    "amqp": RABBITMQ,
    "amqps": RABBITMQ,
    "sqs": SQS,
    "zookeeper": ZOOKEEPER,
}


def broker_of(url: str) -> Broker | None:
    """Return the kind of broker that a URL names, or nothing if it is none that was tried."""
    return BY_SCHEME.get(scheme_of(url))


def scheme_of(url: str) -> str:
    """Return a URL's scheme, without the address family that `redis+socket` adds."""
    return url.partition(":")[0].partition("+")[0]
