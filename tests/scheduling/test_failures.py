from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from scheduling.failures import FailureGroup, group_failures, record_failure
from scheduling.models import Run
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db


def make_failure(error: str = "OSError: refused", **fields: object) -> Run:
    run = make_run(states.FAILURE, **fields)
    record_failure(run.pk, error)
    return run


def groups() -> list[FailureGroup]:
    return group_failures(since=timezone.now() - timedelta(days=1))


def test_failures_of_one_cause_are_one_group() -> None:
    make_failure("OSError: no route to order 1", subject="order:1")
    make_failure("OSError: no route to order 2", subject="order:2")
    make_failure("OSError: no route to order 2", subject="order:2")
    [group] = groups()
    assert (group.count, group.subject_count, set(group.subjects)) == (3, 2, {"order:1", "order:2"})


def test_group_tells_what_the_newest_failed_with() -> None:
    now = timezone.now()
    make_failure("OSError: 1 refused", due_at=now - timedelta(hours=2))
    newest = make_failure("OSError: 2 refused", due_at=now - timedelta(hours=1))
    [group] = groups()
    assert (group.error, group.newest_id) == ("OSError: 2 refused", newest.task_result.pk)
    assert (group.first_at, group.last_at) == (now - timedelta(hours=2), now - timedelta(hours=1))


def test_newest_cause_comes_first() -> None:
    make_failure("OSError: refused", due_at=timezone.now() - timedelta(hours=2))
    make_failure("KeyError: EUR")
    assert [group.error for group in groups()] == ["KeyError: EUR", "OSError: refused"]


def test_what_was_run_again_is_no_open_failure() -> None:
    make_failure(again_as="another")
    assert groups() == []


def test_old_failures_are_left_out() -> None:
    make_failure(due_at=timezone.now() - timedelta(days=2))
    assert groups() == []


def test_groups_cost_two_questions(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(12):
        make_failure(f"{'ABCDEF'[number // 2]}Error: refused", subject=f"order:{number}")
    with django_assert_num_queries(2):
        assert len(groups()) == 6
