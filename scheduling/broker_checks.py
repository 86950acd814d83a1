"""Django's system checks of the broker, so that an unsafe one is told in words before it loses anything."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.core.checks import CheckMessage, Error, Warning
from kombu import Connection
from redis import Redis, RedisError

from scheduling.brokers import REDIS, SQS, Broker, broker_of, scheme_of


def check_broker(**options: Any) -> list[CheckMessage]:
    """Find a broker that was never tried, cannot be talked to, or is talked to in plain text."""
    url = current_app.conf.broker_write_url or ""
    broker = broker_of(url)
    if broker is None:
        return [
            Error(
                f"The broker's URL begins with {scheme_of(url)!r}, which is none of the brokers this was "
                "tried with.",
                hint="Use redis://, rediss://, redis+socket://, amqp://, amqps://, sqs:// or zookeeper://.",
                id="scheduling.E010",
            )
        ]
    return [*_missing_client(broker), *_plain_text(broker, url)]


def check_redis(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Find a Redis that may drop messages, or forget them all.

    It asks the server, so it is run where a database may be asked too: with `check --database` and by
    `migrate`. A server that does not answer says nothing here.
    """
    url = current_app.conf.broker_write_url or ""
    if not databases or broker_of(url) is not REDIS:
        return []
    with current_app.connection_for_read() as connection:
        return list(_redis_faults(_ask_redis(connection)))


def _missing_client(broker: Broker) -> Iterator[CheckMessage]:
    for client in broker.missing:
        yield Error(
            f"{broker.name} needs the library {client}, which is not installed.",
            hint=broker.how_to_install,
            id="scheduling.E011",
        )


def _plain_text(broker: Broker, url: str) -> Iterator[CheckMessage]:
    host = urlsplit(url).hostname or ""
    if scheme_of(url) == broker.secure_scheme or "+socket:" in url or _is_here(host):
        return
    if broker is SQS and current_app.conf.broker_transport_options.get("is_secure", True):
        return
    way = f"Use {broker.secure_scheme}:// instead" if broker.secure_scheme else "Use a private network"
    if broker is SQS:
        way = "Leave out is_secure=false"
    yield Warning(
        f"{broker.name} on {host} is reached in plain text: whoever is on the way reads and writes messages.",
        hint=f"{way}, or silence this check if the network is trusted.",
        id="scheduling.W012",
    )


def _is_here(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _ask_redis(connection: Connection) -> Mapping[str, Any]:
    """Return what Redis tells of itself, or nothing if it does not answer or may not tell."""
    try:
        connection.connect()
        client: Redis = connection.default_channel.client
        told: dict[str, Any] = client.info("memory") | client.info("persistence")
        return told | {"save": client.config_get("save").get("save")}
    except (RedisError, OSError, *connection.connection_errors):
        return {}


def _redis_faults(told: Mapping[str, Any]) -> Iterator[CheckMessage]:
    policy = told.get("maxmemory_policy", "")
    # The volatile policies drop keys that expire alone, and no message does.
    if policy.startswith("allkeys"):
        yield Warning(
            f"Redis may drop messages to make room: its maxmemory-policy is {policy}.",
            hint="Set it to noeviction. Dropped messages are sent again, but after a minute or more.",
            id="scheduling.W013",
        )
    if told.get("aof_enabled") == 0 and told.get("save") == "":
        yield Warning(
            "Redis keeps nothing on disk: a restart forgets all messages.",
            hint="Set appendonly to yes. Forgotten messages are sent again, but after a minute or more.",
            id="scheduling.W014",
        )
