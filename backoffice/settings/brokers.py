"""What each broker needs set to carry work safely, chosen by its URL.

The broker is only a fast wire: what must happen is a row in the database. So these settings are
about noticing soon that a broker is gone, and about not losing what a killed worker held.
"""

import ssl
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

ANSWER_SECONDS = 5
"""How long a broker may take to answer before it counts as gone. The clients' own default is for ever."""

VISIBILITY_SECONDS = 600
"""A message that no worker has acknowledged comes back after this long. A run that takes longer gets a
second message, which does nothing."""

REDIS = {
    "socket_connect_timeout": ANSWER_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "socket_keepalive": True,
    "visibility_timeout": VISIBILITY_SECONDS,
    # Kombu looks for such messages every 100 s by default.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
AMQP = {
    # A publish counts once the broker has the message, not once it has left the socket.
    "confirm_publish": True,
    "connect_timeout": ANSWER_SECONDS,
    "read_timeout": ANSWER_SECONDS * 2,
    "write_timeout": ANSWER_SECONDS,
}
REST_SECONDS = 0.05
"""A worker that has as many messages as it may looks this often whether it may have more, on a broker that
cannot tell: a run is held up for as long."""

ZOOKEEPER = {
    # It has no way to wait for a message either: it is asked this often while there is none.
    "polling_interval": REST_SECONDS,
}
SQS = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # Long polling: a call waits on the server for a message, instead of being asked again and paid for.
    "wait_time_seconds": 2,
    "polling_interval": REST_SECONDS,
    "client-config": {
        "connect_timeout": ANSWER_SECONDS,
        # Longer than a call that waits for a message.
        "read_timeout": ANSWER_SECONDS * 2,
        "retries": {"total_max_attempts": 1},
    },
}
TRANSPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "redis": REDIS,
    "rediss": REDIS,
    "amqp": AMQP,
    "amqps": AMQP,
    "sqs": SQS,
    "zookeeper": ZOOKEEPER,
}
HEARTBEAT_SECONDS = 10
"""RabbitMQ: a connection that is silent for twice as long is gone, at both ends."""

TLS: dict[str, dict[str, Any]] = {
    # Checked against the system's authorities, or those that SSL_CERT_FILE names. Said outright, for
    # what the client libraries do when they are only told to use TLS differs.
    "rediss": {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True},
    "amqps": {"cert_reqs": ssl.CERT_REQUIRED},
}


def broker_settings(url: str) -> dict[str, Any]:
    """Return Celery's settings for the broker that the URL names.

    Args:
        url: as Celery takes it: redis://, rediss://, redis+socket://, amqp://, amqps://,
            zookeeper:// or sqs://. What follows the `?` of an sqs:// URL are its transport's options:
            `region=eu-central-1`, and for an emulator `is_secure=false`.
    """
    scheme = urlsplit(url).scheme.partition("+")[0]
    options = dict(TRANSPORT_OPTIONS.get(scheme, {}))
    if scheme == "sqs":
        url, given = _split_query(url)
        options |= given
    # RabbitMQ alone has types of queues. A message in this one is on disk, and in a cluster on most of
    # its nodes, before its publish is confirmed.
    queues = "quorum" if scheme in ("amqp", "amqps") else "classic"
    return _tls(url) | {
        "CELERY_BROKER_URL": url,
        # Celery reads CELERY_BROKER_URL from the environment too, with the options still in it.
        "CELERY_BROKER_READ_URL": url,
        "CELERY_BROKER_WRITE_URL": url,
        "CELERY_BROKER_CONNECTION_TIMEOUT": ANSWER_SECONDS,
        "CELERY_BROKER_TRANSPORT_OPTIONS": options,
        "CELERY_BROKER_HEARTBEAT": HEARTBEAT_SECONDS,
        "CELERY_TASK_DEFAULT_QUEUE_TYPE": queues,
        "CELERY_TASK_CREATE_MISSING_QUEUE_TYPE": queues,
    }


def _tls(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "amqps":
        # Without the name, any certificate of a known authority would do.
        return {"CELERY_BROKER_USE_SSL": TLS["amqps"] | {"server_hostname": parts.hostname}}
    return {"CELERY_BROKER_USE_SSL": TLS["rediss"]} if parts.scheme == "rediss" else {}


def _split_query(url: str) -> tuple[str, dict[str, Any]]:
    parts = urlsplit(url)
    given: dict[str, Any] = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if "is_secure" in given:
        given["is_secure"] = given["is_secure"] != "false"
    return urlunsplit(parts._replace(query="")), given
