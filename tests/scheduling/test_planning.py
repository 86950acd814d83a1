import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import states
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask, PeriodicTasks

from scheduling.cancelling import cancel
from scheduling.due import claim_due
from scheduling.exceptions import AlreadyRan, InvalidPlan, NotPlanned
from scheduling.planning import Plan, plan, plan_many, postpone
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, MINUTE, make_one_off, make_recurring, make_run

KEY = "order:1/reminder"

pytestmark = pytest.mark.django_db


def in_an_hour() -> datetime:
    return timezone.now() + HOUR


def plans(count: int) -> list[Plan]:
    return [
        Plan(key=f"order:{number}/reminder", task=tasks.record, at=in_an_hour(), kwargs={"name": "x"})
        for number in range(count)
    ]


def test_a_plan_is_a_one_off_clocked_periodic_task() -> None:
    at = in_an_hour()
    plan(KEY, tasks.record, at=at, kwargs={"name": "é"}, reason="unpaid", planned_by="a receiver")
    row = PeriodicTask.objects.select_related("clocked").get()
    assert (row.name, row.task, row.one_off, row.enabled) == (KEY, tasks.record.name, True, True)
    assert row.clocked.clocked_time == at
    assert json.loads(row.kwargs) == {"name": "é"}
    assert json.loads(row.headers) == {"planned_by": "a receiver"}
    assert row.description == "unpaid"


def test_a_plan_passes_the_validation_of_beat() -> None:
    plan(KEY, tasks.record, at=in_an_hour(), kwargs={"name": "x"})
    PeriodicTask.objects.get().full_clean()


def test_planning_twice_leaves_one_row_as_it_was() -> None:
    at = in_an_hour()
    assert plan(KEY, tasks.record, at=at, kwargs={"name": "first"})
    assert not plan(KEY, tasks.record, at=at + HOUR, kwargs={"name": "second"})
    row = PeriodicTask.objects.get()
    assert row.clocked.clocked_time == at
    assert json.loads(row.kwargs) == {"name": "first"}


def test_planning_twice_leaves_no_second_time() -> None:
    for _ in range(2):
        plan(KEY, tasks.record, at=in_an_hour(), kwargs={"name": "x"})
    assert ClockedSchedule.objects.count() == 1


def test_a_key_twice_in_one_call_is_one_plan() -> None:
    assert plan_many([*plans(1), *plans(1)]) == 1
    assert PeriodicTask.objects.count() == 1


def test_each_plan_has_a_time_of_its_own() -> None:
    at = in_an_hour()
    plan("a", tasks.report, at=at)
    plan("b", tasks.report, at=at)
    assert ClockedSchedule.objects.count() == 2


def test_planning_nothing_is_no_error() -> None:
    assert plan_many([]) == 0


def test_plan_many_counts_the_new_ones() -> None:
    plan_many(plans(2))
    assert plan_many(plans(5)) == 3


def test_a_key_that_ran_cannot_be_planned_again() -> None:
    make_run(periodic_task_name=KEY, status=states.SUCCESS)
    with pytest.raises(AlreadyRan, match=KEY):
        plan(KEY, tasks.report, at=in_an_hour())


def test_a_key_that_is_due_cannot_be_planned_again() -> None:
    make_run(periodic_task_name=KEY, status=states.PENDING)
    with pytest.raises(AlreadyRan):
        plan(KEY, tasks.report, at=in_an_hour())


def test_when_one_key_ran_none_is_planned() -> None:
    make_run(periodic_task_name="order:1/reminder", status=states.SUCCESS)
    with pytest.raises(AlreadyRan):
        plan_many(plans(3))
    assert not PeriodicTask.objects.exists()


def test_a_cancelled_key_can_be_planned_again() -> None:
    plan(KEY, tasks.report, at=in_an_hour())
    cancel(KEY, because="the order was cancelled")
    assert plan(KEY, tasks.report, at=in_an_hour())


def test_a_key_cancelled_when_it_was_due_runs_when_planned_again_for_the_same_time() -> None:
    at = timezone.now() - MINUTE
    plan(KEY, tasks.report, at=at)
    [first] = claim_due(now=timezone.now(), lease=MINUTE)
    cancel(KEY, because="the order was cancelled")
    plan(KEY, tasks.report, at=at)
    [second] = claim_due(now=timezone.now(), lease=MINUTE)
    assert second.pk != first.pk
    assert second.task_result.status == states.PENDING


def test_a_plan_is_undone_with_its_transaction() -> None:
    with transaction.atomic():
        plan(KEY, tasks.report, at=in_an_hour())
        transaction.set_rollback(True)
    assert not PeriodicTask.objects.exists()
    assert not ClockedSchedule.objects.exists()


@pytest.mark.parametrize("count", [1, 50])
def test_planning_takes_three_statements_whatever_the_number(
    count: int, django_assert_num_queries: Any
) -> None:
    make_recurring()
    for number in range(10):
        make_one_off(f"other:{number}/x")
    with django_assert_num_queries(3):
        plan_many(plans(count))


def test_planning_again_takes_one_statement(django_assert_num_queries: Any) -> None:
    plan_many(plans(3))
    with django_assert_num_queries(1):
        plan_many(plans(3))


def test_no_statement_touches_the_one_row_all_transactions_share() -> None:
    with CaptureQueriesContext(connection) as statements:
        plan(KEY, tasks.report, at=timezone.now())
        postpone(KEY, to=in_an_hour())
        cancel(KEY, because="x")
        plan(KEY, tasks.report, at=timezone.now())
        claim_due(now=timezone.now(), lease=MINUTE)
    shared_table = PeriodicTasks._meta.db_table
    assert not [one["sql"] for one in statements if f'"{shared_table}"' in one["sql"]]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidPlan, match="no time zone"):
        plan(KEY, tasks.report, at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_must_fit(key: str) -> None:
    with pytest.raises(InvalidPlan, match="1 to 200 characters"):
        plan(key, tasks.report, at=in_an_hour())


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"nobody": 1},
        {"name": "x", "more": 1},
        {"name": object()},
        {"name": float("nan")},
        {"name": "a\x00b"},
    ],
)
def test_arguments_that_the_task_or_the_database_refuses_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(InvalidPlan):
        plan(KEY, tasks.record, at=in_an_hour(), kwargs=kwargs)


def test_an_argument_that_has_no_name_cannot_be_planned_by_name() -> None:
    with pytest.raises(InvalidPlan, match="positional-only"):
        plan(KEY, tasks.look_up, at=in_an_hour(), kwargs={"number": 1})


def test_a_long_planner_does_not_block_the_claim() -> None:
    plan(KEY, tasks.report, at=timezone.now(), planned_by="x" * 300)
    [run] = claim_due(now=timezone.now(), lease=MINUTE)
    assert run.planned_by == "x" * 200


def test_postpone_moves_a_plan() -> None:
    plan(KEY, tasks.report, at=in_an_hour())
    to = datetime(2030, 1, 1, tzinfo=UTC)
    postpone(KEY, to=to)
    assert PeriodicTask.objects.get().clocked.clocked_time == to
    assert ClockedSchedule.objects.count() == 1


def test_postpone_leaves_a_shared_time_to_the_others() -> None:
    first = make_one_off("a", at=in_an_hour())
    other = make_one_off("b", at=in_an_hour())
    PeriodicTask.objects.filter(pk=other.pk).update(clocked=first.clocked)
    postpone("a", to=in_an_hour() + HOUR)
    other.refresh_from_db()
    assert other.clocked.clocked_time == first.clocked.clocked_time


def test_postpone_keeps_a_paused_plan_paused() -> None:
    make_one_off(KEY, at=in_an_hour(), enabled=False)
    postpone(KEY, to=in_an_hour() + timedelta(days=1))
    assert not PeriodicTask.objects.get().enabled


def test_postpone_says_when_nothing_waits() -> None:
    with pytest.raises(NotPlanned, match=KEY):
        postpone(KEY, to=in_an_hour())


def test_postpone_leaves_recurring_schedules_alone() -> None:
    make_recurring("Nightly report")
    with pytest.raises(NotPlanned):
        postpone("Nightly report", to=in_an_hour())


def test_postpone_refuses_a_time_without_a_zone() -> None:
    plan(KEY, tasks.report, at=in_an_hour())
    with pytest.raises(InvalidPlan, match="no time zone"):
        postpone(KEY, to=datetime(2026, 1, 1))  # noqa: DTZ001
