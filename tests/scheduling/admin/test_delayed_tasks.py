from datetime import timedelta

import pytest
from celery import current_app
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling import subjects
from scheduling.models import DelayedTask, Run
from scheduling.planning import plan
from tests.factories import make_superuser

pytestmark = pytest.mark.django_db
KEY = "order:1042/payment-reminder"
LIST = "admin:scheduling_delayedtask_changelist"


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_superuser())
    return client


def plan_one(key: str = KEY, *, after: timedelta = timedelta(hours=3)) -> DelayedTask:
    plan(
        key,
        current_app.tasks["scheduling.tasks.prune_results"],
        at=timezone.now() + after,
        reason="unpaid one day before it is due",
        planned_by="order placed",
    )
    return DelayedTask.objects.get(name=key)


def address(verb: str, row: DelayedTask) -> str:
    return reverse(f"admin:scheduling_delayedtask_{verb}", args=[row.pk])


def due_at(row: DelayedTask) -> float:
    return float(DelayedTask.objects.get(pk=row.pk).clocked.clocked_time.timestamp())


@pytest.mark.parametrize("verb", ["postpone", "do_now", "cancel"])
def test_dialog_names_its_task_for_whom_and_when(client: Client, verb: str) -> None:
    row = plan_one(after=timedelta(days=2, hours=1))
    page = client.get(address(verb, row)).content.decode()
    assert "Prune old runs for order:1042, due in 2 days" in page


def test_list_without_rows_says_so_in_words(client: Client) -> None:
    assert "Nothing waits to run once." in client.get(reverse(LIST)).content.decode()


def test_list_tells_what_waits_for_whom_and_why(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        subjects._describers,
        "order",
        lambda ids: {id_: subjects.Subject(f"#{id_} Ana", "/o/") for id_ in ids},
    )
    plan_one(after=timedelta(days=2, hours=1))
    page = client.get(reverse(LIST)).content.decode()
    for words in (
        "Prune old runs",
        '<a href="/o/">#1042 Ana</a>',
        "unpaid one day",
        "order placed",
        "in 2 days",
    ):
        assert words in page


def test_list_stands_under_headings_by_due_time(client: Client) -> None:
    plan_one("late/1", after=-timedelta(minutes=2))
    plan_one("later/1", after=timedelta(days=20))
    page = client.get(reverse(LIST)).content.decode()
    assert page.index("Late</th>") < page.index("no scheduler is running") < page.index("Later</th>")


def test_list_asks_the_database_as_often_for_many_rows(client: Client) -> None:
    plan_one()
    client.get(reverse(LIST))
    with CaptureQueriesContext(connection) as for_one:
        client.get(reverse(LIST))
    for number in range(30):
        plan_one(f"order:{number}/reminder")
    with CaptureQueriesContext(connection) as for_many:
        client.get(reverse(LIST))
    assert len(for_many) == len(for_one)


def test_search_finds_what_is_planned_for_a_subject(client: Client) -> None:
    plan_one("order:1/reminder")
    row = plan_one("order:2/reminder")
    found = client.get(reverse(LIST), {"q": "order:2"}).context["cl"].result_list
    assert found == [row]


def test_postpone_moves_it_and_leaves_a_trace(client: Client) -> None:
    row = plan_one()
    client.post(address("postpone", row), {"to": "2030-01-02T09:30", "_form_submitted": "on"})
    assert DelayedTask.objects.get().clocked.clocked_time.isoformat() == "2030-01-02T09:30:00+00:00"
    assert "moved to Wed 2 Jan 2030 09:30" in LogEntry.objects.get().get_change_message()


def test_postpone_into_the_past_is_refused_at_the_field(client: Client) -> None:
    row = plan_one()
    page = client.post(address("postpone", row), {"to": "2020-01-02T09:30", "_form_submitted": "on"})
    assert "This time has passed." in page.content.decode()


def test_do_now_makes_it_due(client: Client) -> None:
    row = plan_one()
    client.post(address("do_now", row), {"_form_submitted": "on"})
    assert due_at(row) <= timezone.now().timestamp()


def test_cancel_keeps_the_reason_among_the_results(client: Client) -> None:
    row = plan_one()
    client.post(address("cancel", row), {"reason": "paid in cash", "_form_submitted": "on"})
    assert not DelayedTask.objects.exists()
    assert Run.objects.get().reason == "paid in cash"
    assert TaskResult.objects.get().status == "REVOKED"


def test_cancel_asks_for_a_reason(client: Client) -> None:
    row = plan_one()
    client.post(address("cancel", row), {"_form_submitted": "on"})
    assert DelayedTask.objects.exists()


def test_what_no_longer_waits_is_told_so(client: Client) -> None:
    row = plan_one()
    DelayedTask.objects.all().delete()
    page = client.post(address("do_now", row), {"_form_submitted": "on"}, follow=True)
    assert "It no longer waits" in page.content.decode()


def test_htmx_is_sent_to_the_list(client: Client) -> None:
    row = plan_one()
    answer = client.post(address("do_now", row), {"_form_submitted": "on"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == reverse(LIST)


def test_one_is_planned_by_hand_with_the_form_of_schedules(client: Client) -> None:
    page = client.get(reverse("admin:scheduling_delayedtask_add"), follow=True)
    assert page.context["form"].timing["kind"].value() == "once"
