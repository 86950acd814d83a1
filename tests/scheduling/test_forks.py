import os
import threading
import time

import pytest
from django.db import connection, connections

from orders.models import Category
from scheduling.forks import apart_from_forks

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # It is what a worker does, and what is tried here.
    pytest.mark.filterwarnings("ignore:.*use of fork.* may lead to deadlocks:DeprecationWarning"),
]


def write_and_linger(writing: threading.Event) -> None:
    """Hold the database's write lock for a moment, as a heart does while it beats."""
    with apart_from_forks(), connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        writing.set()
        time.sleep(0.5)
        cursor.execute("COMMIT")


def fork_and_write() -> int:
    """Fork a child that writes a row.

    Returns:
        Its exit status.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 3000")
            Category.objects.create(name="from the child")
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_forked_while_another_thread_writes_can_write_too() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its locks are in a server")
    writing = threading.Event()
    thread = threading.Thread(target=write_and_linger, args=[writing])
    thread.start()
    assert writing.wait(5)
    status = fork_and_write()
    thread.join()
    assert status == 0
    assert Category.objects.filter(name="from the child").exists()
