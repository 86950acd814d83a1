from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
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
from tests.factories import make_staff, make_superuser
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


def test_list_asks_the_database_as_often_for_many_rows(client: Client) -> None:
    schedules.run_now(save("The first"), by="Ana")
    client.get(LIST)
    with CaptureQueriesContext(connection) as for_one:
        client.get(LIST)
    for number in range(20):
        schedules.run_now(save(f"Report {number}"), by="Ana")
    with CaptureQueriesContext(connection) as for_many:
        client.get(LIST)
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


def test_search_finds_a_task_by_its_words(client: Client) -> None:
    save("Monday figures")
    sync()
    assert listed(client, q="test report") == ["Monday figures"]
    assert listed(client, q="figures") == ["Monday figures"]


def test_filter_keeps_the_schedules_of_a_task(client: Client) -> None:
    save()
    owned = sync()
    assert listed(client, task=owned.task) == ["In code"]


VERBS: list[tuple[str, str, dict[str, str]]] = [
    ("run_now", "scheduling.run_task", {}),
    ("pause", "scheduling.pause_schedule", {"reason": "holidays"}),
    ("resume", "scheduling.pause_schedule", {}),
    ("skip_next", "scheduling.pause_schedule", {}),
    ("duplicate", "scheduling.add_recurringtask", {"name": "Another"}),
]
BULK = {
    "run_now": "run_ticked",
    "pause": "pause_ticked",
    "resume": "resume_ticked",
    "skip_next": "skip_ticked",
    "duplicate": "duplicate_ticked",
}


def state(row: RecurringTask) -> tuple[Any, ...]:
    rules = Recurrence.objects.get(pk=row.pk)
    names = sorted(RecurringTask.objects.values_list("name", flat=True))
    enabled = RecurringTask.objects.get(pk=row.pk).enabled
    return enabled, rules.skip_at, names, TaskResult.objects.count()


def prepared(verb: str) -> RecurringTask:
    row = save()
    if verb == "resume":
        schedules.pause(row, reason="holidays")
    return row


def log_in(client: Client, role: str, permission: str) -> None:
    client.logout()
    view = "scheduling.view_recurringtask"
    if role == "viewer":
        client.force_login(make_staff(view))
    elif role == "permitted":
        client.force_login(make_staff(view, permission))
    elif role == "superuser":
        client.force_login(make_superuser("second@shop.example"))


@pytest.mark.parametrize(("verb", "permission", "typed"), VERBS, ids=[verb for verb, _, _ in VERBS])
@pytest.mark.parametrize("role", ["anonymous", "viewer", "permitted", "superuser"])
def test_a_verb_is_done_by_those_permitted_and_only_by_post(
    client: Client, verb: str, permission: str, typed: dict[str, str], role: str
) -> None:
    row = prepared(verb)
    before = state(row)
    log_in(client, role, permission)
    allowed = role in ("permitted", "superuser")
    asked = client.get(address(verb, row), {**typed, **YES})
    assert asked.status_code == {"anonymous": 302, "viewer": 403}.get(role, 200)
    assert state(row) == before
    client.post(address(verb, row), {**typed, **YES})
    assert (state(row) != before) == allowed
    assert LogEntry.objects.count() == int(allowed)


@pytest.mark.parametrize(("verb", "permission", "typed"), VERBS, ids=[verb for verb, _, _ in VERBS])
@pytest.mark.parametrize("role", ["anonymous", "viewer", "permitted", "superuser"])
def test_a_verb_on_several_asks_first_and_is_done_by_those_permitted(
    client: Client, verb: str, permission: str, typed: dict[str, str], role: str
) -> None:
    row = prepared(verb)
    before = state(row)
    log_in(client, role, permission)
    ticked = {"action": BULK[verb], "_selected_action": [row.pk]}
    client.get(LIST, ticked)
    client.post(LIST, ticked)
    assert state(row) == before
    client.post(LIST, {**ticked, **typed, **YES})
    assert (state(row) != before) == (role in ("permitted", "superuser"))


def test_several_are_told_what_could_not_be_done(client: Client) -> None:
    one, other = save("One"), save("Other")
    schedules.pause(other, reason="holidays")
    ticked = {"action": "skip_ticked", "_selected_action": [one.pk, other.pk], **YES}
    page = client.post(LIST, ticked, follow=True).content.decode()
    assert "Done for 1 of 2 schedules." in page
    assert "Other: No run of this schedule is to come." in page


def test_what_code_defines_cannot_be_deleted(client: Client) -> None:
    owned = sync()
    client.post(address("delete", owned), {"post": "yes"})
    client.post(LIST, {"action": "delete_selected", "_selected_action": [owned.pk], "post": "yes"})
    assert RecurringTask.objects.exists()
