import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from scheduling.planning import plan, postpone
from scheduling.wakeup import can_wake, listen, wait_for_word, wake_schedulers
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="only PostgreSQL carries words"
)


def waited() -> float:
    started = time.monotonic()
    wait_for_word(5)
    return time.monotonic() - started


def in_another_connection(call: Any) -> None:
    def run() -> None:
        call()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db
def test_a_database_that_carries_no_words_is_not_told_any(django_assert_num_queries: Any) -> None:
    if can_wake(connection):
        pytest.skip("this one does")
    with django_assert_num_queries(0):
        wake_schedulers()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_planning_for_now_wakes_a_listener_at_once() -> None:
    listen()
    in_another_connection(lambda: plan("a", tasks.report, at=timezone.now()))
    assert waited() < 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_doing_it_now_instead_wakes_a_listener() -> None:
    plan("a", tasks.report, at=timezone.now() + HOUR)
    listen()
    in_another_connection(lambda: postpone("a", to=timezone.now()))
    assert waited() < 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_words_that_came_while_nobody_waited_end_one_wait_together() -> None:
    listen()
    for _ in range(3):
        in_another_connection(wake_schedulers)
        # As a scheduler at work: asking anything makes the connection hear.
        connection.cursor().execute("SELECT 1")
    assert waited() < 1
    started = time.monotonic()
    wait_for_word(0.3)
    assert time.monotonic() - started > 0.2


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_planning_for_later_wakes_nobody() -> None:
    listen()
    in_another_connection(lambda: plan("a", tasks.report, at=timezone.now() + HOUR))
    started = time.monotonic()
    wait_for_word(0.3)
    assert time.monotonic() - started >= 0.3


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_word_is_sent_after_the_commit_and_not_at_all_after_a_rollback() -> None:
    def roll_back() -> None:
        with transaction.atomic():
            plan("a", tasks.report, at=timezone.now())
            transaction.set_rollback(True)

    listen()
    in_another_connection(roll_back)
    started = time.monotonic()
    wait_for_word(0.3)
    assert time.monotonic() - started >= 0.3
