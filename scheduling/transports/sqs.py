"""Amazon SQS: what its service answers or leaves unanswered is a broken connection, not a broken program.

A worker begins anew after a broken connection; after any other error it ends.
"""

from http.client import HTTPResponse
from typing import Any

from botocore.exceptions import ClientError
from kombu.transport import SQS


class Channel(SQS.Channel):
    """A channel whose asynchronous half raises errors of the connection."""

    def asynsqs(self, queue: str | None = None) -> Any:
        """Return the asynchronous client."""
        client = super().asynsqs(queue)
        client._for_status = refused
        return client


class Transport(SQS.Transport):
    """The transport, to which an answer such as 400 is an error of the connection."""

    Channel = Channel
    connection_errors = (*SQS.Transport.connection_errors, ClientError)


def refused(response: HTTPResponse, body: bytes) -> ConnectionError:
    """Return the error for an answer that is none, in the place of kombu's bare `Exception`."""
    return ConnectionError(f"Amazon SQS answered {response.status} {response.reason}: {body[:500]!r}")
