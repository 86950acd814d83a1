"""Statements that PostgreSQL plans once for each connection, and not each time they are asked."""

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

TIMES = 5
"""A statement that was asked so often on a connection is prepared."""


def prepared_cursor() -> CursorWrapper:
    """Return a cursor that prepares what it is asked often, where the database can; else an ordinary one.

    Only for statements that have one good plan whatever their values. Of others PostgreSQL may keep one that
    reads a whole table: what is due beside a million rows took fifty times as long. So Django's own cursors
    prepare nothing, and there is no setting to have both.
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    connection.connection.prepare_threshold = TIMES
    return connection._prepare_cursor(Cursor(connection.connection))  # type: ignore[attr-defined]
