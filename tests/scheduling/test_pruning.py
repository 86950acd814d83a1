from typing import Any

import pytest
from celery import states
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule
from django_celery_results.models import GroupResult, TaskResult

from scheduling import pruning
from scheduling.models import Attempt, Run
from scheduling.planning import plan
from scheduling.pruning import prune_runs
from scheduling.tasks import prune_results
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import DAY, HOUR, make_run

pytestmark = pytest.mark.django_db


def prune() -> tuple[int, int]:
    return prune_runs(keep_succeeded=30 * DAY, keep_others=90 * DAY)


def make_ended(task_id: str, status: str, *, days: int) -> Run:
    ended_at = timezone.now() - days * DAY
    return make_run(task_id=task_id, status=status, date_done=ended_at, date_created=ended_at)


def left() -> set[str]:
    assert set(Run.objects.values_list("pk", flat=True)) == set(
        TaskResult.objects.values_list("task_id", flat=True)
    )
    return set(Run.objects.values_list("pk", flat=True))


def test_what_succeeded_is_kept_for_its_time() -> None:
    make_ended("old", states.SUCCESS, days=31)
    make_ended("new", states.SUCCESS, days=29)
    assert prune() == (1, 0)
    assert left() == {"new"}


@pytest.mark.parametrize("status", [states.FAILURE, states.REVOKED])
def test_others_are_kept_longer(status: str) -> None:
    make_ended("old", status, days=91)
    make_ended("new", status, days=31)
    assert prune() == (0, 1)
    assert left() == {"new"}


@pytest.mark.parametrize("status", [states.PENDING, states.STARTED, states.RETRY, "PROGRESS"])
def test_what_has_not_ended_is_never_deleted(status: str) -> None:
    make_run(status=status, date_created=timezone.now() - 1000 * DAY, due_at=timezone.now() - 1000 * DAY)
    prune()
    assert left() == {"run-1"}


def test_its_failed_attempts_go_with_it() -> None:
    run = make_ended("old", states.SUCCESS, days=31)
    Attempt.objects.create(run=run, number=1, ended_at=timezone.now(), error="x")
    prune()
    assert not Attempt.objects.exists()


def test_many_are_deleted_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for number in range(7):
        make_ended(str(number), states.SUCCESS, days=31 + number)
    with django_assert_max_num_queries(40):
        assert prune() == (7, 0)
    assert left() == set()


def test_pruning_twice_is_pruning_once() -> None:
    make_ended("old", states.SUCCESS, days=31)
    prune()
    assert prune() == (0, 0)


def test_times_that_passed_and_nobody_has_are_deleted() -> None:
    plan("a", tasks.report, at=timezone.now() - HOUR)
    used = ClockedSchedule.objects.get()
    ClockedSchedule.objects.create(clocked_time=timezone.now() - HOUR)
    to_come = ClockedSchedule.objects.create(clocked_time=timezone.now() + HOUR)
    prune()
    assert set(ClockedSchedule.objects.all()) == {used, to_come}


def test_old_results_of_groups_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 1)
    for group_id, days in (("old", 91), ("older", 92), ("new", 1)):
        GroupResult.objects.create(group_id=group_id)
        GroupResult.objects.filter(group_id=group_id).update(date_done=timezone.now() - days * DAY)
    prune()
    assert GroupResult.objects.get().group_id == "new"


def test_the_task_says_how_many() -> None:
    make_ended("old", states.SUCCESS, days=31)
    make_ended("failed", states.FAILURE, days=91)
    assert prune_results() == "deleted 1 that succeeded and 1 others"
