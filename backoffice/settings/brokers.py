"""What each broker needs set to carry work safely, chosen by its URL.

The broker is only a fast wire: what must happen is a row in the database, so these settings are
about being told soon that a broker is gone, and about not running what is running.
"""

from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 5
"""How long any broker may take to answer before it counts as gone. The clients' own default is for ever."""


def broker_settings(url: str) -> dict[str, Any]:
    """Return Celery's settings for the broker that the URL names.

    Args:
        url: as Celery takes it: redis://, rediss://, redis+socket://, amqp://, amqps://, sqs://,
            zookeeper://.
    """
    scheme = urlsplit(url).scheme.partition("+")[0]
    return {
        "CELERY_BROKER_URL": url,
        "CELERY_BROKER_CONNECTION_TIMEOUT": ANSWER_SECONDS,
        "CELERY_BROKER_TRANSPORT_OPTIONS": TRANSPORT_OPTIONS.get(scheme, {}),
    }


REDIS_OPTIONS = {
    "socket_connect_timeout": ANSWER_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "socket_keepalive": True,
    # A message that no worker has acknowledged comes back after this long. A run that takes longer
    # gets a second message, which does nothing.
    "visibility_timeout": 600,
    # Kombu looks for such messages every 100 s by default.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}

TRANSPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "redis": REDIS_OPTIONS,
    "rediss": REDIS_OPTIONS,
    # A publish counts once the broker has it, not once it has left the socket.
    "amqp": {"confirm_publish": True, "connect_timeout": ANSWER_SECONDS},
    "amqps": {"confirm_publish": True, "connect_timeout": ANSWER_SECONDS},
}
