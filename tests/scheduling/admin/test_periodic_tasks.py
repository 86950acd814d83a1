from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from scheduling import schedules
from scheduling.models import Recurrence, RecurringTask
from scheduling.recurring import claim_occurrences
from tests.factories import make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import make_one_off
from tests.scheduling.test_schedules import LEASE, save, sync

pytestmark = pytest.mark.django_db
LIST = reverse("admin:scheduling_recurringtask_changelist")
YES = {"_form_submitted": "on"}


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_superuser())
    return client


def listed(client: Client, **query: str) -> list[str]:
    return [row.name for row in client.get(LIST, query).context["cl"].result_list]


def address(verb: str, row: RecurringTask) -> str:
    return reverse(f"admin:scheduling_recurringtask_{verb}", args=[row.pk])


def test_list_tells_each_schedule_in_words(client: Client) -> None:
    save(start_time=timezone.now() + timedelta(days=2, hours=1))
    page = client.get(LIST).content.decode()
    for words in ("Sales report", "Send the test report", "every hour, from", "in 2 days", "never ran"):
        assert words in page


def test_list_shows_the_newest_outcomes_with_skipped_ones_in_words(client: Client) -> None:
    saved = save(start_time=timezone.now() + timedelta(minutes=1))
    skipped = schedules.skip_next(saved)
    claim_occurrences(now=skipped + timedelta(seconds=1), lease=LEASE)
    claim_occurrences(now=skipped + timedelta(hours=1, seconds=1), lease=LEASE)
    TaskResult.objects.filter(status="PENDING").update(
        status="FAILURE", date_started=F("date_created"), date_done=F("date_created")
    )
    page = client.get(LIST).content.decode()
    assert 'aria-label="the last 2: 1 skipped, 1 failed"' in page


@pytest.mark.parametrize(
    "query", [{}, {"q": "report"}, {"show": "staff"}, {"show": "never"}, {"task": tasks.send_report.name}]
)
def test_list_asks_the_database_as_often_for_many_rows(client: Client, query: dict[str, str]) -> None:
    schedules.run_now(save("The first report"), by="Ana")
    client.get(LIST, query)
    with CaptureQueriesContext(connection) as for_one:
        client.get(LIST, query)
    for number in range(60):
        schedules.run_now(save(f"Report {number}"), by="Ana")
    # Once more: by now the badges of the sidebar may be stale.
    client.get(LIST, query)
    with CaptureQueriesContext(connection) as for_many:
        client.get(LIST, query)
    assert len(for_many) == len(for_one)


def test_list_leaves_delayed_tasks_to_their_own(client: Client) -> None:
    make_one_off()
    assert listed(client) == []


def test_tabs_tell_schedules_apart(client: Client) -> None:
    save("Ours")
    schedules.pause(save("Resting"), reason="holidays")
    late = save("Late")
    Recurrence.objects.filter(pk=late.pk).update(next_due_at=timezone.now() - timedelta(minutes=1))
    PeriodicTask.objects.filter(pk=late.pk).update(total_run_count=3)
    sync()
    assert set(listed(client, show="staff")) == {"Ours", "Resting", "Late"}
    assert listed(client, show="code") == ["In code"]
    assert listed(client, show="paused") == ["Resting"]
    assert listed(client, show="late") == ["Late"]
    assert set(listed(client, show="never")) == {"Ours", "Resting", "In code"}
    counts = {tab.title: tab.number for tab in client.get(LIST).context["tabs"]}
    assert counts == {"All": 4, "Staff's": 3, "In code": 1, "Paused": 1, "Late": 1, "Never ran": 3}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "Nothing is scheduled yet."),
        ({"show": "late"}, "No schedule is late."),
        ({"show": "late", "q": "report"}, "Nothing matches."),
    ],
)
def test_list_without_rows_says_why(client: Client, query: dict[str, str], words: str) -> None:
    page = client.get(LIST, query).content.decode()
    assert words in page
    assert ("Show all</a>" in page) == ("q" in query)


def test_search_finds_a_task_by_its_words(client: Client) -> None:
    save("Monday figures")
    sync()
    assert listed(client, q="test report") == ["Monday figures"]
    assert listed(client, q="figures") == ["Monday figures"]


def test_filter_keeps_the_schedules_of_a_task(client: Client) -> None:
    save()
    owned = sync()
    assert listed(client, task=owned.task) == ["In code"]


@pytest.mark.parametrize(("query", "is_marked"), [({"show": "late"}, False), ({"task": "some"}, True)])
def test_open_tab_is_no_filter_of_the_button(client: Client, query: dict[str, str], is_marked: bool) -> None:
    found = client.get(LIST, query)
    assert found.context["cl"].has_active_filters is is_marked


def test_several_are_told_what_could_not_be_done(client: Client) -> None:
    one, other = save("One"), save("Other")
    schedules.pause(other, reason="holidays")
    ticked = {"action": "skip_ticked", "_selected_action": [one.pk, other.pk], **YES}
    page = client.post(LIST, ticked, follow=True).content.decode()
    assert "Done for 1 of 2 schedules." in page
    assert "Other: No run of this schedule is to come." in page


@pytest.mark.parametrize("verb", ["run_now", "pause", "resume", "skip_next", "duplicate"])
def test_dialog_names_its_schedule(client: Client, verb: str) -> None:
    page = client.get(address(verb, save("Monday figures"))).content.decode()
    assert "Monday figures, every hour" in page


def test_page_that_asks_for_several_says_how_many_and_which(client: Client) -> None:
    ticked = {"action": "pause_ticked", "_selected_action": [save("One").pk, save("Other").pk]}
    page = client.post(LIST, ticked).content.decode()
    for words in ("Pause 2 schedules?", "One", "Other"):
        assert words in page


def test_wish_to_run_now_that_is_sent_twice_runs_once(client: Client) -> None:
    saved = save()
    for _ in range(2):
        client.post(address("run_now", saved), {"token": "1f0c4e0e-3b1f-4d2e-9a3b-6a3f5e8b7c11", **YES})
    assert TaskResult.objects.count() == 1
    client.post(address("run_now", saved), {"token": "2f0c4e0e-3b1f-4d2e-9a3b-6a3f5e8b7c11", **YES})
    assert TaskResult.objects.count() == 2


def test_what_code_defines_cannot_be_deleted(client: Client) -> None:
    owned = sync()
    client.post(address("delete", owned), {"post": "yes"})
    client.post(LIST, {"action": "delete_selected", "_selected_action": [owned.pk], "post": "yes"})
    assert RecurringTask.objects.exists()
