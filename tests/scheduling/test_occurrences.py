from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from celery.app import routes
from django.utils import timezone

from scheduling.models import Run
from scheduling.occurrences import NotRun, run_of
from scheduling.runs import run_id
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import HOUR, make_one_off, make_recurring

pytestmark = pytest.mark.django_db


def run_for(periodic_task: Any, **options: Any) -> Run:
    now = timezone.now()
    return run_of(periodic_task, **{"due_at": now, "hand_over_at": now, **options})


def test_the_id_of_an_occurrence_is_its_name_and_time() -> None:
    due_at = timezone.now()
    run = run_for(make_recurring("Nightly report"), due_at=due_at)
    assert run.task_result.task_id == run_id(key="Nightly report", due_at=due_at)


def test_two_occurrences_have_two_ids() -> None:
    schedule = make_recurring()
    first = run_for(schedule, due_at=timezone.now())
    assert first.task_result.task_id != run_for(schedule, due_at=timezone.now() + HOUR).task_result.task_id


def test_the_id_does_not_depend_on_the_time_zone_it_is_told_in() -> None:
    due_at = timezone.now()
    there = due_at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert run_id(key="x", due_at=due_at) == run_id(key="x", due_at=there)


def test_what_is_only_recorded_needs_no_message() -> None:
    run = run_for(make_recurring(), not_run=NotRun(Run.NotRun.MISSED, "too late"))
    assert run.hand_over_at is None
    assert (run.not_run_because, run.reason) == ("missed", "too late")
    assert run.task_result.status == "REVOKED"


def test_its_queue_is_the_schedules() -> None:
    assert run_for(make_recurring(queue="slow")).queue == "slow"


def test_without_one_it_is_the_tasks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.report, "queue", "mail", raising=False)
    assert run_for(make_recurring()).queue == "mail"


def test_without_that_it_is_the_projects_route(monkeypatch: pytest.MonkeyPatch) -> None:
    amqp = current_app.amqp
    router = routes.Router(routes.prepare({"tests.*": {"queue": "slow"}}), amqp.queues, True, current_app)
    monkeypatch.setitem(amqp.__dict__, "router", router)
    assert run_for(make_recurring()).queue == "slow"


def test_without_any_it_is_the_default() -> None:
    assert run_for(make_recurring()).queue == "celery"


def test_a_task_that_does_not_check_its_arguments_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.record, "typing", False)
    assert run_for(make_one_off(kwargs='{"anything": 1}')).hand_over_at is not None


def test_a_task_that_is_gone_keeps_its_arguments_for_when_it_is_back() -> None:
    run = run_for(make_one_off(task="no.such.task", kwargs='{"name": "one"}'))
    assert run.task_result.status == "FAILURE"
    assert run.kwargs == {"name": "one"}


def test_what_was_planned_keeps_when_that_was() -> None:
    planned = make_one_off()
    assert run_for(planned).planned_at == planned.date_changed
    assert run_for(make_recurring()).planned_at is None
