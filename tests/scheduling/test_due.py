from datetime import timedelta
from typing import Any

import pytest
from celery import states
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling import due
from scheduling.cancelling import cancel
from scheduling.due import claim_due
from scheduling.models import Recurrence, Run
from scheduling.planning import Plan, plan, plan_many
from scheduling.runs import run_id
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, MINUTE, make_one_off, make_recurring, result_of

LEASE = timedelta(seconds=30)

pytestmark = pytest.mark.django_db


def claim() -> list[Run]:
    return list(claim_due(now=timezone.now(), lease=LEASE))


def stored() -> Run:
    return Run.objects.select_related("task_result").get()


def test_a_due_plan_becomes_a_pending_run() -> None:
    at = timezone.now()
    plan("order:1/reminder", tasks.record, at=at, kwargs={"name": "é"}, reason="unpaid", planned_by="rule")
    [run] = claim()
    assert run.pk == stored().pk
    assert (stored().subject, stored().due_at, stored().reason) == ("order:1", at, "unpaid")
    assert (stored().planned_by, stored().kwargs, stored().args) == ("rule", {"name": "é"}, [])
    result = stored().task_result
    assert (result.status, result.periodic_task_name) == (states.PENDING, "order:1/reminder")
    assert (result.task_name, result.date_done, result.result) == (tasks.record.name, None, None)


def test_celery_reads_it_as_pending_with_its_arguments() -> None:
    plan("order:1/reminder", tasks.record, at=timezone.now(), kwargs={"name": "é"})
    [run] = claim()
    result = result_of(run)
    assert (result.state, result.result, result.kwargs) == (states.PENDING, None, {"name": "é"})


def test_its_row_and_its_time_are_gone() -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now())
    claim()
    assert not PeriodicTask.objects.exists()
    assert not ClockedSchedule.objects.exists()


def test_a_time_that_another_plan_shares_stays() -> None:
    row = make_one_off("a", task=tasks.report.name, kwargs="{}")
    other = make_one_off("b", task=tasks.report.name, kwargs="{}", at=timezone.now() + HOUR)
    PeriodicTask.objects.filter(pk=other.pk).update(clocked=row.clocked, enabled=False)
    claim()
    assert PeriodicTask.objects.get().clocked == row.clocked


def test_it_is_claimed_once() -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now())
    assert len(claim()) == 1
    assert claim() == []


def test_what_is_not_due_waits() -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now() + MINUTE)
    assert claim() == []
    assert PeriodicTask.objects.exists()


def test_what_staff_paused_waits() -> None:
    make_one_off(enabled=False)
    assert claim() == []
    assert PeriodicTask.objects.exists()


def test_recurring_schedules_are_not_its_business() -> None:
    make_recurring()
    assert claim() == []


def test_the_oldest_come_first_and_no_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "BATCH", 2)
    now = timezone.now()
    for minutes in (1, 3, 2):
        plan(f"{minutes}", tasks.report, at=now - minutes * MINUTE)
    assert [run.task_result.periodic_task_name for run in claim()] == ["3", "2"]
    assert [run.task_result.periodic_task_name for run in claim()] == ["1"]


def test_the_lease_is_when_others_may_hand_it_over() -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now())
    now = timezone.now()
    [run] = claim_due(now=now, lease=LEASE)
    assert run.hand_over_at == now + LEASE == stored().hand_over_at
    assert stored().handed_over_at is None


def test_two_schedulers_give_it_the_same_id() -> None:
    row = make_one_off()
    mark = str(row.pk)
    assert run_id(key=row.name, due_at=row.clocked.clocked_time, mark=mark) == run_id(
        key=row.name, due_at=PeriodicTask.objects.get().clocked.clocked_time, mark=mark
    )
    claim()
    assert stored().pk == run_id(key=row.name, due_at=row.clocked.clocked_time, mark=mark)


def test_statements_do_not_grow_with_the_batch(django_assert_num_queries: Any) -> None:
    def claimed_with(count: int) -> int:
        plan_many(
            [
                Plan(key=f"order:{count}-{n}/report", task=tasks.report, at=timezone.now())
                for n in range(count)
            ],
        )
        with django_assert_num_queries(10):  # with its savepoint
            return len(claim())

    assert claimed_with(1) == 1
    assert claimed_with(60) == 60


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kwargs": "{broken"}, "not JSON"),
        ({"kwargs": '{"name": NaN}'}, "not JSON"),
        ({"kwargs": '{"name": "\\u0000"}'}, "NUL"),
        ({"kwargs": "[]"}, "must be a JSON dict"),
        ({"args": "{}"}, "must be a JSON list"),
        ({"headers": '"x"'}, "must be a JSON dict"),
        ({"kwargs": "[" * 100_000}, "not JSON"),
        ({"kwargs": "{}"}, "missing a required argument"),
        ({"args": '["a", "b"]', "kwargs": "{}"}, "positional argument"),
        ({"task": "no.such.task"}, "no task no.such.task"),
    ],
)
def test_a_row_that_cannot_run_ends_as_failed_in_words(fields: dict[str, Any], words: str) -> None:
    make_one_off("bad", **fields)
    assert claim() == []
    assert stored().task_result.status == states.FAILURE
    assert words in stored().reason
    assert words in str(result_of(stored()).result)
    assert stored().hand_over_at is None
    assert stored().not_run_because == ""
    assert not PeriodicTask.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"kwargs": "{broken"},
        {"task": tasks.wait.name, "kwargs": f'{{"seconds": {10**400}}}'},
        {"task": tasks.move_in.name, "kwargs": '{"town": "Berlin"}'},
    ],
)
def test_a_row_that_cannot_run_does_not_block_the_others(fields: dict[str, Any]) -> None:
    make_one_off("bad", **fields)
    plan("good", tasks.report, at=timezone.now())
    assert [run.task_result.periodic_task_name for run in claim()] == ["good"]


@pytest.mark.parametrize("planned_by", ["null", "[1]", '"' + "x" * 300 + '"', "5"])
def test_whoever_planned_it_may_be_anything(planned_by: str) -> None:
    make_one_off(headers=f'{{"planned_by": {planned_by}}}')
    assert len(claim()) == 1
    assert len(stored().planned_by) <= 200


def test_headers_and_routing_are_kept_for_the_message() -> None:
    make_one_off(headers='{"planned_by": "x", "colour": "red"}', queue="mail", priority=3)
    claim()
    assert stored().queue == "mail"
    assert stored().options == {"queue": "mail", "priority": 3, "headers": {"colour": "red"}}


def test_one_whose_end_has_passed_is_recorded_as_expired() -> None:
    make_one_off(at=timezone.now() - HOUR, expires=timezone.now() - MINUTE)
    assert claim() == []
    assert stored().task_result.status == states.REVOKED
    assert stored().not_run_because == Run.NotRun.EXPIRED
    assert stored().task_result.date_done is not None


def test_expire_seconds_count_from_when_it_was_due() -> None:
    at = timezone.now() - MINUTE
    make_one_off(at=at, expire_seconds=90)
    claim()
    assert stored().options["expires"] == (at + timedelta(seconds=90)).isoformat()


def test_its_end_is_told_to_the_worker() -> None:
    expires = timezone.now() + HOUR
    make_one_off(expires=expires)
    claim()
    assert stored().options["expires"] == expires.isoformat()


def test_secret_arguments_are_whole_for_the_task_and_hidden_for_people() -> None:
    plan("a", tasks.log_in, at=timezone.now(), kwargs={"user": "ann", "password": "hush"})
    claim()
    assert stored().kwargs == {"user": "ann", "password": "hush"}
    assert "hush" not in TaskResult.objects.get().task_kwargs


def test_secret_arguments_are_hidden_by_position_too() -> None:
    make_one_off(task=tasks.log_in.name, args='["ann", "hush"]', kwargs="{}")
    claim()
    assert stored().args == ["ann", "hush"]
    assert "ann" in TaskResult.objects.get().task_args
    assert "hush" not in TaskResult.objects.get().task_args


def test_all_that_a_secret_argument_takes_by_position_is_hidden() -> None:
    make_one_off(task=tasks.try_codes.name, args='["front", "hush", "hash"]', kwargs="{}")
    claim()
    assert TaskResult.objects.get().task_args == '["front", "hidden", "hidden"]'


def test_a_clocked_row_with_a_recurrence_is_deleted_whole() -> None:
    row = make_one_off()
    Recurrence.objects.create(periodic_task=row)
    claim()
    assert not Recurrence.objects.exists()


def test_a_key_planned_once_more_around_its_claim_does_not_run_twice() -> None:
    make_one_off("order:1/reminder")
    assert len(claim()) == 1
    # As the transaction does that looked before that claim and inserts after it.
    make_one_off("order:1/reminder")
    assert claim() == []
    second = Run.objects.select_related("task_result").get(not_run_because=Run.NotRun.SKIPPED)
    assert (second.task_result.status, second.reason) == (
        states.REVOKED,
        "work under this key ran already",
    )


def test_a_key_that_was_cancelled_may_run_when_it_is_planned_again() -> None:
    plan("order:1/reminder", tasks.report, at=timezone.now())
    cancel("order:1/reminder", because="paid")
    plan("order:1/reminder", tasks.report, at=timezone.now())
    assert len(claim()) == 1


def test_the_name_of_one_that_ran_may_be_used_again_in_the_editor() -> None:
    at = timezone.now()
    for _ in range(2):
        make_one_off("Send the catalogue", at=at)
        assert len(claim()) == 1
    assert Run.objects.count() == 2
