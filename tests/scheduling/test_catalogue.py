from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import catalogue
from scheduling.checks import check_catalogue
from scheduling.exceptions import InvalidPlan
from scheduling.recurring import claim_occurrences
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import make_due, make_recurring


def test_staff_may_schedule_only_what_says_so() -> None:
    assert tasks.send_report.name in catalogue.schedulable_tasks()
    assert tasks.record.name not in catalogue.schedulable_tasks()
    with pytest.raises(InvalidPlan):
        catalogue.schedulable_task("os.system")


def test_a_task_without_words_of_its_own_is_called_by_its_name() -> None:
    assert catalogue.words_of(tasks.send_report.name) == "Send the test report"
    assert catalogue.words_of("shop.tasks.close_till") == "Close till"
    assert catalogue.words_of(None) == "Unknown task"


def test_arguments_are_told_in_words_and_secrets_are_not() -> None:
    given = {"recipients": ["a@x.example", "b@x.example"], "detailed": True, "group_id": None}
    words = catalogue.arguments_in_words(tasks.send_report.name, given)
    assert words == "recipients a@x.example and b@x.example, detailed yes, group none"
    assert "swordfish" not in catalogue.arguments_in_words(
        tasks.log_in.name, {"user": "ana", "password": "swordfish"}
    )


def test_the_projects_own_catalogue_has_no_faults() -> None:
    assert not check_catalogue()


def test_a_task_that_no_form_can_ask_for_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.remind_of_anything, "schedulable", True)
    assert [fault.msg for fault in check_catalogue()] == [
        f"{tasks.remind_of_anything.name} takes subject, whose type no form can ask for.",
        f"{tasks.remind_of_anything.name} has no words.",
    ]


def test_an_argument_that_no_form_can_give_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.look_up, "schedulable", True)
    monkeypatch.setattr(tasks.look_up, "words", "Look up")
    assert [fault.msg for fault in check_catalogue()] == [
        f"{tasks.look_up.name} takes number by its place alone, and forms give arguments by name."
    ]


@pytest.mark.django_db
def test_a_schedule_of_another_task_fails_in_words_instead_of_running() -> None:
    now = timezone.now()
    make_due(make_recurring(task=tasks.record.name, kwargs='{"name": "x"}'), now)
    assert not claim_occurrences(now=now, lease=timedelta(seconds=30))
    result = TaskResult.objects.get()
    assert result.status == "FAILURE"
    assert "not among the tasks that staff may schedule" in result.result
