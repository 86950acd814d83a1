"""Waking the schedulers at once where the database can carry a word to them."""

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

CHANNEL = "scheduling"


def can_wake(database: BaseDatabaseWrapper) -> bool:
    """Whether the database carries notifications; else schedulers poll."""
    return database.vendor == "postgresql"


def wake_schedulers() -> None:
    """Tell the schedulers, once the caller's transaction is committed, that something is due.

    Not inside it: PostgreSQL makes the commits of notifying transactions wait for each other.
    A word that is lost costs one polling interval, nothing else.
    """
    if can_wake(connection):
        transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def listen() -> None:
    """Have this connection hear the words of `wake_schedulers`."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")


def wait_for_word(seconds: float) -> None:
    """Wait until a word comes, at most so many seconds.

    All that came meanwhile are taken at once: left over, each would end a wait for nothing.
    """
    connection.ensure_connection()
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass
