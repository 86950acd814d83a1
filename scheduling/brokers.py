"""What is particular to one broker's transport, in one place."""

from functools import cache

from kombu import Producer
from kombu.transport.redis import Channel as RedisChannel


def keep_client(producer: Producer) -> None:
    """Let a producer publish through one Redis client; on other brokers, nothing.

    Kombu makes a new client object for every message, which is a third of the cost of publishing it.
    Its connections come from a pool either way.
    """
    channel = producer.channel
    if isinstance(channel, RedisChannel):
        channel._create_client = cache(channel._create_client)
