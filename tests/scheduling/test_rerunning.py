from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.exceptions import InvalidPlan, NotEnded
from scheduling.failures import record_failure
from scheduling.models import Attempt, Rerun, Run
from scheduling.rerunning import Again, halt, halt_if_failing, run_again, run_many_again
from tests.scheduling import sample_tasks
from tests.scheduling.runs import make_run
from tests.scheduling.tasks_for_tests import log_in

pytestmark = pytest.mark.django_db

HOW = Again(by="Ana", token="1")
SLOWLY = Again(by="Ana", token="1", per_minute=10)


def failed_run(**fields: object) -> Run:
    defaults = {
        "task_name": sample_tasks.remind.name,
        "periodic_task_name": "order:7/reminder",
        "subject": "order:7",
        "kwargs": {"order_id": 7},
    }
    return make_run(states.FAILURE, **{**defaults, **fields})


def test_run_again_waits_under_the_same_key_with_the_same_arguments() -> None:
    old = failed_run(kwargs={"order_id": 7, "token": "s3cret"}, options={"priority": 3})
    new = run_again(old.pk, how=HOW)
    new.refresh_from_db()
    assert new.task_result.status == states.PENDING
    assert new.task_result.periodic_task_name == "order:7/reminder"
    assert (new.subject, new.kwargs, new.options) == ("order:7", old.kwargs, {"priority": 3})
    assert new.hand_over_at is not None
    assert new.hand_over_at <= timezone.now()


def test_run_again_leaves_the_old_run_and_links_both() -> None:
    old = failed_run()
    new = run_again(old.pk, how=HOW)
    old.refresh_from_db()
    assert old.task_result.status == states.FAILURE
    assert (old.again_as, new.again_of) == (new.pk, old.pk)


def test_run_again_hides_secrets_as_the_first_time() -> None:
    new = run_again(failed_run(kwargs={"order_id": 7, "token": "s3cret"}).pk, how=HOW)
    assert "s3cret" not in TaskResult.objects.get(task_id=new.pk).task_kwargs


def test_run_again_hides_secrets_by_position_too() -> None:
    old = failed_run(task_name=log_in.name, args=["ann", "s3cret"], kwargs={})
    new = run_again(old.pk, how=HOW)
    assert new.args == ["ann", "s3cret"]
    assert "s3cret" not in TaskResult.objects.get(task_id=new.pk).task_args


def test_run_again_takes_other_arguments() -> None:
    new = run_again(failed_run().pk, how=HOW, kwargs={"order_id": 8})
    assert Run.objects.get(pk=new.pk).kwargs == {"order_id": 8}


def test_run_again_refuses_arguments_the_task_does_not_take() -> None:
    with pytest.raises(InvalidPlan):
        run_again(failed_run().pk, how=HOW, kwargs={"order": 8})


def test_run_again_refuses_a_task_that_is_gone() -> None:
    with pytest.raises(InvalidPlan, match="there is no task"):
        run_again(failed_run(task_name="gone.task").pk, how=HOW)


@pytest.mark.parametrize("status", [states.PENDING, states.RETRY, states.STARTED])
def test_run_again_refuses_what_has_not_ended(status: str) -> None:
    with pytest.raises(NotEnded):
        run_again(make_run(status).pk, how=HOW)


def test_run_again_sent_twice_runs_once() -> None:
    old = failed_run()
    assert run_again(old.pk, how=HOW).pk == run_again(old.pk, how=HOW).pk
    assert Run.objects.count() == 2


def test_run_again_drops_the_time_it_had_to_be_done_by() -> None:
    old = failed_run(options={"expires": "2020-01-01T00:00:00+00:00"})
    assert run_again(old.pk, how=HOW).options == {}


def test_many_start_at_the_chosen_pace() -> None:
    olds = [failed_run() for _ in range(3)]
    rerun = run_many_again([old.pk for old in olds], how=SLOWLY, words="reminders")
    starts = list(rerun.runs.order_by("hand_over_at").values_list("hand_over_at", flat=True))
    assert [later - starts[0] for later in starts if later and starts[0]] == [
        timedelta(seconds=s) for s in (0, 6, 12)
    ]


def test_many_leave_out_what_cannot_be_run() -> None:
    running, gone, fine = make_run(states.STARTED), failed_run(task_name="gone.task"), failed_run()
    rerun = run_many_again([running.pk, gone.pk, fine.pk], how=HOW, words="all")
    assert rerun.total == rerun.runs.count() == 1


def test_rest_is_halted_once_three_have_failed_again() -> None:
    rerun = run_many_again([failed_run().pk for _ in range(5)], how=SLOWLY, words="reminders")
    again = list(rerun.runs.order_by("due_at"))
    for run in again[:3]:
        assert Rerun.objects.get().halted_at is None
        TaskResult.objects.filter(task_id=run.pk).update(status=states.FAILURE)
        record_failure(run.pk, "OSError: refused")
    rerun.refresh_from_db()
    assert rerun.halted_because == "3 of them failed again"
    left = TaskResult.objects.filter(task_id__in=[run.pk for run in again[3:]])
    assert {result.status for result in left} == {states.REVOKED}


def test_attempt_that_waits_to_be_tried_again_counts_as_failed() -> None:
    rerun = run_many_again([failed_run().pk for _ in range(4)], how=SLOWLY, words="reminders")
    again = list(rerun.runs.order_by("due_at"))
    rerun.runs.filter(pk__in=[run.pk for run in again[:3]]).update(attempt=2)
    halt_if_failing(again[2].pk)
    assert Rerun.objects.get().halted_at is not None


def test_halted_runs_count_as_failed_again() -> None:
    olds = [failed_run() for _ in range(2)]
    rerun = run_many_again([old.pk for old in olds], how=SLOWLY, words="reminders")
    assert halt(rerun, because="Ana said so") == 2
    assert list(Run.objects.filter(pk__in=[old.pk for old in olds]).values_list("again_as", flat=True)) == [
        "",
        "",
    ]


def test_failure_outside_a_rerun_halts_nothing() -> None:
    run_many_again([failed_run().pk], how=SLOWLY, words="reminders")
    other = failed_run()
    Attempt.objects.create(run=other, number=1, ended_at=timezone.now(), error="refused")
    halt_if_failing(other.pk)
    assert Rerun.objects.get().halted_at is None
