"""ZooKeeper: no wait is without an end.

Its client waits for a lost server inside each call for as long as it takes, and for ever for one that
came back empty: such a server refuses whoever has seen newer data. A worker that waits so does not
even stop when it is told to.
"""

import threading
from typing import Any

from kazoo.client import KazooClient, KazooState
from kazoo.handlers.threading import KazooTimeoutError
from kombu.transport import zookeeper

GIVE_UP_SECONDS = 15.0
"""Longer than an ensemble takes to elect another leader."""


class Channel(zookeeper.Channel):
    """A channel whose client gives up, so that whoever waits begins anew with another."""

    def _open(self) -> KazooClient:
        client = super()._open()
        client.add_listener(Patience(client))
        return client


class Transport(zookeeper.Transport):
    """The transport, to which a server that is away at the start is no reason to end the process."""

    Channel = Channel
    connection_errors = (*zookeeper.Transport.connection_errors, KazooTimeoutError)


class Patience:
    """Stops a client that has had no connection for `GIVE_UP_SECONDS`: its calls then raise."""

    def __init__(self, client: KazooClient) -> None:
        self._client = client
        self._timer: threading.Timer | None = None

    def __call__(self, state: Any) -> None:
        """Hear of a change, in the client's own thread."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if state == KazooState.SUSPENDED:
            self._timer = threading.Timer(GIVE_UP_SECONDS, self._client.stop)
            self._timer.daemon = True
            self._timer.start()
