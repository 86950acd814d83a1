"""Keeping SQLite out of the way of forks: a worker's main process forks its children beside its heart."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_at_sqlite = threading.Lock()

os.register_at_fork(
    before=_at_sqlite.acquire, after_in_parent=_at_sqlite.release, after_in_child=_at_sqlite.release
)


@contextmanager
def apart_from_forks() -> Iterator[None]:
    """Use the database in a thread of a process that forks, and leave no connection to a child.

    A child inherits what SQLite remembers of its parent's locks, and not the locks. One that is forked
    while this thread writes finds the database locked for ever, and takes runs that it cannot claim.
    Other databases keep their locks in a server.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with _at_sqlite:
        try:
            yield
        finally:
            connection.close()
