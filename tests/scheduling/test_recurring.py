from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import states
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_results.models import TaskResult

from scheduling import recurring
from scheduling.models import Recurrence, Run
from scheduling.recurring import claim_occurrences
from scheduling.runs import insert_runs, run_id
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import (
    HOUR,
    MINUTE,
    SECOND,
    make_crontab,
    make_due,
    make_recurring,
    make_run,
    reload,
    result_of,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)

pytestmark = pytest.mark.django_db


def claim(now: datetime) -> Sequence[Run]:
    return claim_occurrences(now=now, lease=LEASE)


def outcomes() -> list[tuple[str, str]]:
    """Return when each run was due and what became of it, oldest first."""
    runs = Run.objects.select_related("task_result").order_by("due_at")
    return [(f"{run.due_at:%H:%M:%S}", run.not_run_because or run.task_result.status) for run in runs]


def test_a_due_occurrence_becomes_a_pending_run() -> None:
    schedule = make_recurring(every=60, args="[]", kwargs="{}", description="for the books")
    make_due(schedule, NOON)
    [run] = claim(NOON + SECOND)
    stored = reload(run)
    assert stored.pk == run_id(key="Nightly report", due_at=NOON)
    assert (stored.due_at, stored.reason) == (NOON, "for the books")
    assert stored.hand_over_at == NOON + SECOND + LEASE
    assert (stored.task_result.status, stored.task_result.date_done) == (states.PENDING, None)


def test_the_schedule_moves_on() -> None:
    schedule = make_recurring(every=60)
    make_due(schedule, NOON)
    claim(NOON + SECOND)
    schedule.refresh_from_db()
    assert schedule.last_run_at == NOON
    assert schedule.total_run_count == 1
    assert schedule.recurrence.next_due_at == NOON + MINUTE


def test_an_occurrence_is_claimed_once() -> None:
    make_due(make_recurring(every=60), NOON)
    assert len(claim(NOON)) == 1
    assert claim(NOON) == []


def test_two_schedulers_write_the_same_run() -> None:
    recurrence = make_due(make_recurring(every=60), NOON, overlap="run")
    claim(NOON)
    Recurrence.objects.filter(pk=recurrence.pk).update(next_due_at=NOON)
    claim(NOON)
    assert Run.objects.count() == 1


def test_a_claim_gives_beat_no_notice_of_a_change() -> None:
    make_due(make_recurring(every=60), NOON)
    before = PeriodicTasks.last_change()
    claim(NOON)
    assert PeriodicTasks.last_change() == before


def test_occurrences_a_minute_late_all_run() -> None:
    make_due(make_recurring(every=20), NOON, overlap="run")
    assert len(claim(NOON + MINUTE)) == 4
    assert outcomes() == [
        ("12:00:00", "PENDING"),
        ("12:00:20", "PENDING"),
        ("12:00:40", "PENDING"),
        ("12:01:00", "PENDING"),
    ]


def test_of_later_ones_only_the_newest_runs() -> None:
    make_due(make_recurring(every=3600), NOON)
    assert len(claim(NOON + 2 * HOUR + 30 * MINUTE)) == 1
    assert outcomes() == [("12:00:00", "missed"), ("13:00:00", "missed"), ("14:00:00", "PENDING")]


def test_a_missed_one_says_how_late_it_was_noticed() -> None:
    make_due(make_recurring(every=3600), NOON)
    claim(NOON + HOUR)
    missed = Run.objects.get(not_run_because="missed")
    assert missed.reason == "noticed 1:00:00 late, when a newer one was due"
    assert missed.reason in str(result_of(missed).result)


def test_one_later_than_its_schedule_allows_is_missed() -> None:
    make_due(make_recurring(every=3600), NOON, late_by_seconds=600)
    assert claim(NOON + 11 * MINUTE) == []
    assert outcomes() == [("12:00:00", "missed")]
    assert Recurrence.objects.get().next_due_at == NOON + HOUR


def test_one_just_as_late_as_its_schedule_allows_runs() -> None:
    make_due(make_recurring(every=3600), NOON, late_by_seconds=600)
    assert len(claim(NOON + 10 * MINUTE)) == 1


def test_one_after_the_end_of_its_schedule_is_expired() -> None:
    schedule = make_recurring(every=3600, expires=NOON + 30 * MINUTE)
    make_due(schedule, NOON)
    assert claim(NOON + HOUR) == []
    assert outcomes() == [("12:00:00", "expired")]
    assert Recurrence.objects.get().next_due_at is None


def test_one_at_the_end_of_its_schedule_runs() -> None:
    make_due(make_recurring(every=3600, expires=NOON), NOON)
    assert len(claim(NOON + SECOND)) == 1


def test_after_a_long_outage_only_the_newest_missed_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurring, "MISSED_KEPT", 3)
    make_due(make_recurring(every=60), NOON)
    claim(NOON + HOUR + 30 * SECOND)
    assert outcomes() == [
        ("12:00:00", "missed"),
        ("12:58:00", "missed"),
        ("12:59:00", "missed"),
        ("13:00:00", "PENDING"),
    ]


def test_many_missed_at_once_are_recorded() -> None:
    for number in range(3):
        schedule = make_recurring(f"every minute {number}", every=60)
        make_due(schedule, NOON)
    claim(NOON + 3 * 24 * HOUR)
    assert Run.objects.count() == 3 * 501


def test_while_the_last_run_is_going_the_next_is_skipped() -> None:
    make_due(make_recurring(every=60), NOON)
    make_run(task_id="last", periodic_task_name="Nightly report", status=states.STARTED)
    assert claim(NOON) == []
    assert "skipped" in dict(outcomes()).values()


@pytest.mark.parametrize("status", [states.SUCCESS, states.FAILURE, states.REVOKED])
def test_a_last_run_that_ended_is_in_nobodys_way(status: str) -> None:
    make_due(make_recurring(every=60), NOON)
    make_run(task_id="last", periodic_task_name="Nightly report", status=status)
    assert len(claim(NOON)) == 1


def test_told_to_wait_it_waits_for_the_last_run() -> None:
    make_due(make_recurring(every=60), NOON, overlap="wait")
    make_run(task_id="last", periodic_task_name="Nightly report", status=states.STARTED)
    assert claim(NOON) == []
    waiting = Run.objects.get(due_at=NOON)
    assert (waiting.waits_for, waiting.hand_over_at) == ("last", NOON)
    assert waiting.task_result.status == states.PENDING


def test_only_one_waits() -> None:
    make_due(make_recurring(every=60), NOON, overlap="wait")
    make_run(task_id="last", periodic_task_name="Nightly report", status=states.STARTED)
    claim(NOON)
    claim(NOON + MINUTE)
    assert Run.objects.get(due_at=NOON + MINUTE).not_run_because == Run.NotRun.SKIPPED


def test_told_to_run_beside_it_runs() -> None:
    make_due(make_recurring(every=60), NOON, overlap="run")
    make_run(task_id="last", periodic_task_name="Nightly report", status=states.STARTED)
    assert len(claim(NOON)) == 1


def test_a_spread_run_starts_later_and_the_same_for_every_scheduler() -> None:
    recurrence = make_due(make_recurring(every=3600), NOON, spread_seconds=600)
    assert claim(NOON) == []
    first = Run.objects.get().hand_over_at
    assert first is not None
    assert NOON <= first <= NOON + 10 * MINUTE
    TaskResult.objects.all().delete()
    Recurrence.objects.filter(pk=recurrence.pk).update(next_due_at=NOON)
    claim(NOON + SECOND)
    assert Run.objects.get().hand_over_at == first


def test_spread_and_wait_go_together() -> None:
    make_due(make_recurring(every=3600), NOON, spread_seconds=600, overlap="wait")
    make_run(task_id="last", periodic_task_name="Nightly report", status=states.STARTED)
    claim(NOON)
    waiting = Run.objects.get(due_at=NOON)
    assert waiting.hand_over_at
    assert waiting.hand_over_at > NOON


def test_one_occurrence_is_skipped_by_hand() -> None:
    make_due(make_recurring(every=60), NOON, skip_at=NOON)
    assert claim(NOON) == []
    assert outcomes() == [("12:00:00", "skipped")]
    assert Recurrence.objects.get().skip_at is None
    assert len(claim(NOON + MINUTE)) == 1


def test_a_later_one_to_skip_is_remembered() -> None:
    make_due(make_recurring(every=60), NOON, skip_at=NOON + MINUTE)
    claim(NOON)
    assert Recurrence.objects.get().skip_at == NOON + MINUTE


def test_a_one_off_of_any_kind_runs_once() -> None:
    schedule = make_recurring(every=60, one_off=True)
    make_due(schedule, NOON)
    assert len(claim(NOON + 5 * MINUTE)) == 1
    assert outcomes() == [("12:00:00", "PENDING")]
    schedule.refresh_from_db()
    assert not schedule.enabled
    assert schedule.recurrence.next_due_at is None


def test_a_pause_made_while_it_is_claimed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = make_recurring(every=60)
    make_due(schedule, NOON)

    def pause_and_insert(runs: Any) -> None:
        PeriodicTask.objects.update(enabled=False)
        insert_runs(runs)

    monkeypatch.setattr(recurring, "insert_runs", pause_and_insert)
    claim(NOON)
    schedule.refresh_from_db()
    assert not schedule.enabled


def test_an_edit_that_was_not_followed_yet_is_not_run_by_the_old_rule() -> None:
    schedule = make_recurring(every=60)
    make_due(schedule, NOON)
    PeriodicTask.objects.update(enabled=False)
    assert claim(NOON) == []
    assert Recurrence.objects.get().next_due_at == NOON


def test_broken_arguments_end_as_failed_and_block_nobody() -> None:
    make_due(make_recurring("bad", every=60, kwargs="{broken"), NOON)
    make_due(make_recurring("good", every=60), NOON)
    Recurrence.objects.update(next_due_at=NOON)
    assert [run.task_result.periodic_task_name for run in claim(NOON)] == ["good"]
    assert Run.objects.get(task_result__periodic_task_name="bad").task_result.status == states.FAILURE
    assert set(Recurrence.objects.values_list("next_due_at", flat=True)) == {NOON + MINUTE}


def test_a_crontab_moves_on_to_its_next_day() -> None:
    schedule = make_recurring(crontab=make_crontab(hour="12"))
    make_due(schedule, NOON)
    claim(NOON + SECOND)
    assert Recurrence.objects.get().next_due_at == NOON + 24 * HOUR


def test_expire_seconds_count_from_the_occurrence() -> None:
    make_due(make_recurring(every=3600, expire_seconds=600), NOON)
    claim(NOON + MINUTE)
    assert Run.objects.get().options["expires"] == (NOON + 10 * MINUTE).isoformat()


def test_statements_grow_only_with_the_schedules_that_move(django_assert_num_queries: Any) -> None:
    for number in range(5):
        make_recurring(f"due {number}", every=3600, task=tasks.report.name)
        make_recurring(f"not due {number}", every=3600, task=tasks.report.name)
    make_due(make_recurring("last", every=3600), timezone.now() + HOUR)
    Recurrence.objects.filter(periodic_task__name__startswith="due").update(next_due_at=NOON)
    with django_assert_num_queries(2 + 3 + 2 + 5 * 2):  # savepoint, reads, writes, moves
        assert len(claim(NOON)) == 5
