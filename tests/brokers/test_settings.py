"""What the settings ask for is what each broker's client does: seen on a connection to a real server."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue

from backoffice.settings.brokers import (
    ANSWER_SECONDS,
    HEARTBEAT_SECONDS,
    REST_SECONDS,
    VISIBILITY_SECONDS,
    broker_settings,
)
from tests.brokers.servers import broker


def application(url: str) -> Celery:
    """Return an application with a broker's settings."""
    app = Celery(set_as_current=False)
    given = broker_settings(url)
    app.conf.update({name.removeprefix("CELERY_").lower(): value for name, value in given.items()})
    return app


def see_redis(connection: Connection, queue: Queue) -> None:
    channel = connection.default_channel
    options = channel.client.connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] == options["socket_timeout"] == ANSWER_SECONDS
    assert options["socket_keepalive"]
    assert channel.visibility_timeout == VISIBILITY_SECONDS
    assert channel.unacked_restore_interval * channel.unacked_restore_throttle == 5


def see_rabbitmq(connection: Connection, queue: Queue) -> None:
    client: Any = connection.connection
    assert client.confirm_publish
    assert (client.connect_timeout, client.write_timeout) == (ANSWER_SECONDS, ANSWER_SECONDS)
    assert client.read_timeout == ANSWER_SECONDS * 2
    assert client.heartbeat == HEARTBEAT_SECONDS
    queue(connection.default_channel).declare()
    with pytest.raises(connection.channel_errors, match="quorum"):
        connection.channel().queue_declare(queue.name, durable=True, auto_delete=False)


def see_sqs(connection: Connection, queue: Queue) -> None:
    channel = connection.default_channel
    client = channel.sqs()
    assert client.meta.config.connect_timeout == ANSWER_SECONDS
    assert client.meta.config.read_timeout == ANSWER_SECONDS * 2
    assert client.meta.config.retries["total_max_attempts"] == 1
    queue(channel).declare()
    asked = client.get_queue_attributes(QueueUrl=channel._new_queue(queue.name), AttributeNames=["All"])
    assert int(asked["Attributes"]["VisibilityTimeout"]) == VISIBILITY_SECONDS
    assert channel.wait_time_seconds == 2
    assert connection.transport.polling_interval == REST_SECONDS


def see_zookeeper(connection: Connection, queue: Queue) -> None:
    connection.connect()
    assert connection.transport.polling_interval == REST_SECONDS


SEEN: dict[str, Callable[[Connection, Queue], None]] = {
    "redis": see_redis,
    "rabbitmq": see_rabbitmq,
    "sqs": see_sqs,
    "zookeeper": see_zookeeper,
}


@pytest.mark.parametrize("name", SEEN)
def test_settings_reach_the_client_and_the_server(name: str) -> None:
    with broker(name) as running:
        app = application(running.service.url)
        with app.connection_for_write(heartbeat=app.conf.broker_heartbeat) as connection:
            SEEN[name](connection, app.amqp.queues["celery"])
