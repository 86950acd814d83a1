"""What is particular to one kind of broker, in one place."""

from dataclasses import dataclass

from redis import RedisError


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A kind of broker.

    Args:
        name: as people call it.
        client: the module that its transport needs.
        group: the dependency group that brings the client, or nothing if Celery itself does.
        secure_scheme: that of its URLs with TLS, or nothing if there is none.
        lacks: what it cannot do, in words for staff.
    """

    name: str
    client: str
    group: str = ""
    secure_scheme: str = ""
    lacks: tuple[str, ...] = ()


REMOTE = ("Celery's remote control", "Celery's events")

REDIS = Broker(name="Redis", client="redis", secure_scheme="rediss")
RABBITMQ = Broker(name="RabbitMQ", client="amqp", secure_scheme="amqps")
SQS = Broker(name="Amazon SQS", client="boto3", group="sqs", lacks=(*REMOTE, "priorities"))
ZOOKEEPER = Broker(name="ZooKeeper", client="kazoo", group="zookeeper", lacks=(*REMOTE, "TLS"))

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
