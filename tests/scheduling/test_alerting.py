import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import states
from django.core import mail
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from scheduling.alerting import find, firing_alerts, watch
from scheduling.due import claim_due
from scheduling.models import AlertRule, Recurrence
from scheduling.subjects import describe
from tests.scheduling.factories import deliver, reload
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run
from tests.scheduling.schedules import by_interval

pytestmark = pytest.mark.django_db

Kind = AlertRule.Kind


def make_rule(kind: str = Kind.NOBODY, **fields: Any) -> AlertRule:
    return AlertRule.objects.create(kind=kind, **{"name": "Watch", "emails": "ops@shop.example", **fields})


def ago(**length: float) -> datetime:
    return timezone.now() - timedelta(**length)


def found(rule: AlertRule) -> str:
    return find(rule, now=timezone.now())


def look_twice() -> int:
    """Look now and, as the rule of most tests wants what lasts, two minutes ago."""
    watch(now=ago(minutes=2))
    return watch(now=timezone.now())


def planned() -> list[dict[str, Any]]:
    return [json.loads(kwargs) for kwargs in PeriodicTask.objects.values_list("kwargs", flat=True)]


def test_failures_are_found_once_there_are_enough() -> None:
    rule = make_rule(Kind.FAILURES, threshold=2, window_minutes=60)
    make_run(states.FAILURE, date_done=ago(minutes=5))
    assert found(rule) == ""
    make_run(states.FAILURE, date_done=ago(minutes=5))
    assert found(rule) == "Tasks failed 2 times or more within 1 h."


def test_failures_before_the_window_do_not_count() -> None:
    make_run(states.FAILURE, date_done=ago(minutes=61))
    assert found(make_rule(Kind.FAILURES, window_minutes=60)) == ""


def test_failures_of_another_task_do_not_count() -> None:
    make_run(states.FAILURE, date_done=ago(minutes=1))
    assert found(make_rule(Kind.FAILURES, task_name="orders.tasks.other")) == ""


def test_late_schedule_is_found() -> None:
    schedule = by_interval(1, "hours", name="Report", task="x")
    schedule.interval.save()
    schedule.save()
    Recurrence.objects.create(periodic_task=schedule, next_due_at=ago(minutes=5))
    assert found(make_rule(Kind.LATE, threshold=60)) == "“Report” is due and was not noticed for 5 min."


def test_late_delayed_task_is_found() -> None:
    clocked = ClockedSchedule.objects.create(clocked_time=ago(minutes=5))
    PeriodicTask.objects.create(name="order:1/reminder", task="x", clocked=clocked, one_off=True)
    assert "order:1/reminder" in found(make_rule(Kind.LATE, threshold=60))


def test_run_that_has_not_started_is_late_too() -> None:
    make_run(due_at=ago(minutes=5))
    assert (
        found(make_rule(Kind.LATE, threshold=60)) == "Prune old runs was due and has not started for 5 min."
    )


def test_what_is_on_time_is_not_late() -> None:
    make_run(due_at=ago(seconds=30))
    make_run(due_at=ago(minutes=-5))
    assert found(make_rule(Kind.LATE, threshold=60)) == ""


def test_nobody_alive_is_found() -> None:
    make_process("worker", queues=["celery"], seen_at=ago(minutes=5))
    make_process("worker", name="worker@other", queues=["mail"])
    assert found(make_rule(Kind.NOBODY, queue="celery")) == "No worker is alive on queue celery."
    assert found(make_rule(Kind.NOBODY, queue="mail", name="Mail")) == ""


def test_backlog_is_found() -> None:
    rule = make_rule(Kind.BACKLOG, threshold=1, queue="celery")
    make_run()
    make_run(queue="mail")
    assert found(rule) == ""
    make_run()
    assert found(rule) == "More than 1 runs wait on queue celery."


def test_alert_fires_and_is_told_of() -> None:
    rule = make_rule()
    assert look_twice() == 1
    assert list(firing_alerts(now=timezone.now())) == [rule]
    assert planned() == [{"rule_id": rule.pk, "found": "No worker is alive on queue celery.", "way": "email"}]


def test_nobody_is_told_of_a_restart() -> None:
    make_rule()
    watch(now=timezone.now())
    assert not firing_alerts(now=timezone.now()).exists()
    assert planned() == []
    make_process("worker")
    watch(now=timezone.now())
    assert AlertRule.objects.get().firing_since is None


def test_each_way_of_telling_is_a_run_of_its_own() -> None:
    make_rule(webhook_url="https://hooks.shop.example/")
    look_twice()
    assert {given["way"] for given in planned()} == {"email", "webhook"}


def test_alert_is_told_of_by_a_run_like_any_other() -> None:
    rule = make_rule()
    look_twice()
    [run] = claim_due(now=timezone.now(), lease=timedelta())
    deliver(run)
    run = reload(run)
    assert (run.task_result.status, run.subject) == (states.SUCCESS, f"alert:{rule.pk}")
    assert describe([run.subject])[run.subject].label == "Watch"
    assert [message.to for message in mail.outbox] == [["ops@shop.example"]]


def test_alert_is_not_told_of_again_before_its_pause() -> None:
    make_rule(pause_minutes=30)
    now = timezone.now()
    for minutes in (0, 2, 12, 31, 33):
        watch(now=now + timedelta(minutes=minutes))
    assert len(planned()) == 2


def test_alert_that_names_nobody_is_shown_alone() -> None:
    make_rule(emails="")
    look_twice()
    assert firing_alerts(now=timezone.now()).exists()
    assert planned() == []


def test_alert_ends_when_all_is_well() -> None:
    make_rule()
    look_twice()
    make_process("worker")
    assert watch(now=timezone.now()) == 0
    assert not firing_alerts(now=timezone.now()).exists()


def test_disabled_rule_is_not_looked_at() -> None:
    make_rule(enabled=False)
    assert watch(now=timezone.now()) == 0
