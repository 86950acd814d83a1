from datetime import datetime, timedelta

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.admin.run_steps import Step, steps_of
from scheduling.models import Attempt, Run
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def way(run: Run) -> list[Step]:
    return steps_of(run.task_result, run, list(run.attempts.all()))


def words(run: Run) -> list[tuple[str, str]]:
    return [(step.words, step.took) for step in way(run)]


def failed_once(status: str, **fields: object) -> Run:
    run = make_run(status, due_at=at(0), attempt=2, **fields)
    Attempt.objects.create(run=run, number=1, started_at=at(1), ended_at=at(3), worker="a", error="refused")
    return run


def test_a_run_that_is_done_tells_each_step_and_how_long_it_took() -> None:
    run = make_run(
        states.SUCCESS,
        planned_at=at(-3600),
        due_at=at(0),
        handed_over_at=at(0.2),
        hand_overs=1,
        date_started=at(0.5),
        date_done=at(4.5),
    )
    assert words(run) == [
        ("Planned", ""),
        ("Due", "1 h"),
        ("Handed to the broker", "0.2 s"),
        ("Started", "0.3 s"),
        ("Done", "4 s"),
    ]


def test_a_planned_run_tells_who_planned_it_and_why() -> None:
    run = make_run(planned_at=at(0), planned_by="#1042", reason="it is to be paid by Friday")
    assert way(run)[0].note == "by #1042: it is to be paid by Friday"


def test_every_attempt_is_told_and_the_hand_over_of_the_last() -> None:
    run = failed_once(
        states.SUCCESS, handed_over_at=at(33), hand_overs=1, date_started=at(34), date_done=at(35)
    )
    assert words(run) == [
        ("Due", ""),
        ("Attempt 1 started", "1 s"),
        ("Attempt 1 failed", "2 s"),
        ("Handed to the broker", "30 s"),
        ("Attempt 2 started", "1 s"),
        ("Done", "1 s"),
    ]


def test_a_retry_that_waits_tells_until_when() -> None:
    run = failed_once(states.RETRY, handed_over_at=at(0.5), hand_over_at=at(33))
    assert words(run)[-1] == ("Attempt 2 waits", "30 s")


def test_a_run_that_was_not_handed_over_says_so() -> None:
    assert words(make_run(due_at=at(0)))[-1] == ("Not yet handed to the broker", "")


def test_a_second_message_is_told() -> None:
    run = make_run(due_at=at(0), handed_over_at=at(60), hand_overs=2)
    assert way(run)[-1].note == "2 times"


def test_a_run_that_goes_on_has_no_end() -> None:
    assert way(make_run(states.STARTED))[-1] == Step("Running", None, look="running")


def test_a_stopped_run_says_why_at_its_end_alone() -> None:
    run = make_run(states.REVOKED, reason="too slow (stopped by Ana)", date_started=at(1), date_done=at(9))
    assert [step.note for step in way(run) if step.note] == ["too slow (stopped by Ana)"]
    assert way(run)[-1].words == "Stopped"


def test_a_cancelled_retry_tells_what_went_before() -> None:
    run = failed_once(states.REVOKED, not_run_because="cancelled", reason="paid by phone", date_done=at(9))
    assert words(run)[-1] == ("Cancelled before it started", "6 s")
    assert ("Attempt 1 failed", "2 s") in words(run)


def test_a_result_without_a_run_tells_what_is_known() -> None:
    result = TaskResult(status=states.SUCCESS, date_created=at(0), date_started=at(1), date_done=at(3))
    assert [step.words for step in steps_of(result, None, [])] == ["Recorded", "Started", "Done"]
