"""Amazon SQS: what its service answers or leaves unanswered is a broken connection, not a broken program.

A worker begins anew after a broken connection; after any other error it ends, or asks for no message
any more.
"""

from http.client import HTTPResponse
from typing import Any

from botocore.exceptions import ClientError
from kombu.asynchronous import Hub, set_event_loop
from kombu.transport import SQS


class Channel(SQS.Channel):
    """A channel whose asynchronous half outlives what goes wrong."""

    def asynsqs(self, queue: str | None = None) -> Any:
        """Return the asynchronous client."""
        client = super().asynsqs(queue)
        client._for_status = refused
        return client

    def _on_messages_ready(self, queue: str, name: str, messages: Any) -> Any:
        """Take no answer, or a failing server's, for no messages.

        Kombu hands on an empty list then, stumbles over it, and the worker never asks again.
        """
        return super()._on_messages_ready(queue, name, messages or {})


class Transport(SQS.Transport):
    """The transport, to which an answer such as 400 is an error of the connection."""

    Channel = Channel
    connection_errors = (*SQS.Transport.connection_errors, ClientError)

    def register_with_event_loop(self, connection: Any, loop: Hub) -> None:
        """Give the worker's loop to the channels, of which the first was made before.

        Kombu forgets it when the worker begins anew, and a channel without a loop asks for no message.
        """
        set_event_loop(loop)
        for channel in self._avail_channels:
            channel.hub = loop


def refused(response: HTTPResponse, body: bytes) -> ConnectionError:
    """Return the error for an answer that is none, in the place of kombu's bare `Exception`."""
    return ConnectionError(f"Amazon SQS answered {response.status} {response.reason}: {body[:500]!r}")
