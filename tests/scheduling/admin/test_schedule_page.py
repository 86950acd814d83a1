import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from scheduling import schedules
from scheduling.models import DelayedTask, Recurrence, RecurringTask
from tests.factories import make_order, make_staff, make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.test_schedules import save, sync

pytestmark = pytest.mark.django_db
ADD = reverse("admin:scheduling_recurringtask_add")
PREVIEW = reverse("admin:scheduling_recurringtask_preview")

TYPED = {
    "name": "Sales report to finance",
    "task": tasks.send_report.name,
    "argument-recipients": "finance@shop.example\nana@shop.example",
    "argument-since": "2026-11-30",
    "argument-days": "30",
    "argument-format": "xlsx",
    "argument-audience": "staff",
    "kind": "times",
    "times": "9",
    "days": ["1", "2", "3", "4", "5"],
    "zone": "Europe/Berlin",
    "overlap": "wait",
    "late_by_seconds": "3600",
    "spread_seconds": "0",
}


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_superuser())
    return client


def complaints(client: Client, **typed: Any) -> dict[str, Any]:
    answer = client.post(ADD, {**TYPED, **typed})
    assert answer.status_code == 422
    return {name: words for form in answer.context["form"].forms for name, words in form.errors.items()}


def page_of(row: RecurringTask) -> str:
    return reverse("admin:scheduling_recurringtask_change", args=[row.pk])


def test_a_schedule_is_saved_with_its_times_arguments_and_policies(client: Client) -> None:
    answer = client.post(ADD, TYPED)
    saved = RecurringTask.objects.get()
    assert answer.headers["Location"] == page_of(saved)
    assert json.loads(saved.kwargs) == {
        "recipients": ["finance@shop.example", "ana@shop.example"],
        "since": "2026-11-30",
        "days": 30,
        "format": "xlsx",
        "audience": "staff",
        "detailed": False,
    }
    assert str(saved.crontab) == "0 9 * * 1,2,3,4,5 (m/h/dM/MY/d) Europe/Berlin"
    assert (saved.recurrence.overlap, saved.recurrence.late_by_seconds) == ("wait", 3600)
    assert saved.recurrence.next_due_at > timezone.now()
    assert "every weekday at 09:00, Berlin time" in LogEntry.objects.get().get_change_message()


def test_a_saved_schedule_is_shown_as_it_was_typed(client: Client) -> None:
    client.post(ADD, TYPED)
    form = client.get(page_of(RecurringTask.objects.get())).context["form"]
    shown = {field.html_name: field.value() for part in form.forms for field in part}
    assert shown["times"].__class__ is str or shown["times"]
    assert (shown["kind"], shown["days"], shown["zone"]) == (
        "times",
        ["1", "2", "3", "4", "5"],
        "Europe/Berlin",
    )
    assert str(shown["argument-since"]) == "2026-11-30"


def test_saving_it_again_unchanged_changes_nothing(client: Client) -> None:
    client.post(ADD, TYPED)
    before = RecurringTask.objects.get()
    client.post(page_of(before), TYPED)
    after = RecurringTask.objects.get()
    assert (after.crontab_id, after.kwargs) == (before.crontab_id, before.kwargs)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "required"),
        ("task", "os.system", "not one of the available choices"),
        ("argument-recipients", "finance", "finance: Enter a valid email address."),
        ("argument-since", "soon", "valid date"),
        ("argument-days", "many", "whole number"),
        ("argument-minimum", "much", "number"),
        ("argument-group_id", "77", "There is no group 77."),
        ("times", "nine", "nine is not a time of day"),
        ("times", "09:00, 17:30", "same minutes"),
        ("dates", "32", "day of the month"),
        ("zone", "Europe/Atlantis", "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_told_at_the_field(client: Client, field: str, value: str, words: str) -> None:
    errors = complaints(client, **{field: value})
    assert words in " ".join(errors.pop(field.removeprefix("argument-")))
    assert not errors
    assert not RecurringTask.objects.exists()


def test_a_name_is_given_once(client: Client) -> None:
    save("Sales report to finance")
    assert complaints(client)["name"] == ["Another schedule has this name."]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"kind": "cron", "cron": "0 9 * *"}, "cron", "five fields"),
        ({"kind": "cron", "cron": "0 25 * * *"}, "cron", "25"),
        ({"kind": "cron", "cron": "0 0 30 2 *"}, "cron", "never run"),
        ({"kind": "every", "every": ""}, "every", "needed"),
        ({"kind": "sun", "latitude": "", "longitude": "13"}, "latitude", "needed"),
        ({"kind": "once", "at": ""}, "at", "needed"),
        ({"starts_at": "2030-01-02T00:00", "ends_at": "2030-01-01T00:00"}, "ends_at", "not after the start"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(
    client: Client, typed: dict[str, str], field: str, words: str
) -> None:
    assert words in " ".join(complaints(client, **typed)[field])


@pytest.mark.parametrize(
    ("typed", "table", "words"),
    [
        ({"kind": "every", "every": "2", "period": "hours"}, "interval", "every 2 hours"),
        ({"kind": "cron", "cron": "*/15 8-17 * * mon-fri"}, "crontab", "every 15 minutes"),
        ({"kind": "sun", "event": "sunset", "latitude": "52.5", "longitude": "13.4"}, "solar", "at sunset"),
    ],
)
def test_each_kind_of_schedule_can_be_typed_and_edited(
    client: Client, typed: dict[str, str], table: str, words: str
) -> None:
    client.post(ADD, {**TYPED, **typed})
    saved = RecurringTask.objects.get()
    assert getattr(saved, table) is not None
    page = client.get(page_of(saved))
    assert words in page.content.decode()
    assert page.context["form"].timing["kind"].value() == typed["kind"]


def test_start_and_end_are_on_the_schedules_clock(client: Client) -> None:
    client.post(ADD, {**TYPED, "starts_at": "2030-07-01T09:00", "ends_at": "2030-08-01T09:00"})
    saved = RecurringTask.objects.get()
    assert saved.start_time.isoformat() == "2030-07-01T07:00:00+00:00"
    assert client.get(page_of(saved)).context["form"].timing["starts_at"].value() == "2030-07-01T09:00:00"


def test_once_plans_a_delayed_task(client: Client) -> None:
    client.post(ADD, {**TYPED, "kind": "once", "at": "2030-07-01T09:00"})
    planned = DelayedTask.objects.get()
    assert planned.clocked.clocked_time.isoformat() == "2030-07-01T07:00:00+00:00"
    assert json.loads(planned.headers)["planned_by"] == "root@shop.example"
    assert not RecurringTask.objects.exists()


def test_once_is_about_the_row_it_is_given(client: Client) -> None:
    order = make_order("10.00")
    DelayedTask.objects.all().delete()
    typed = {
        **TYPED,
        "kind": "once",
        "at": "2030-07-01T09:00",
        "task": "orders.tasks.send_payment_reminder",
        "argument-order_id": str(order.pk),
    }
    client.post(ADD, typed)
    assert DelayedTask.objects.get().name == f"order:{order.pk}/Sales report to finance"
    again = complaints(client, **typed)
    assert again["name"] == ["Something of this name waits already. Give it another name."]
    assert "too long" in " ".join(complaints(client, **{**typed, "name": "x" * 195})["name"])


def test_preview_tells_the_next_runs_in_both_zones_and_marks_changes_of_the_clocks(client: Client) -> None:
    typed = {**TYPED, "starts_at": "2030-03-29T00:00", "days": []}
    page = client.get(PREVIEW, typed).content.decode()
    for words in (
        "Every day at 09:00, Berlin time",
        "Sun 31 Mar 2030 09:00",
        "<td>07:00</td>",
        "clocks go forward 1 h this day",
        "Saving this fires nothing at once",
        "Nothing else is due in the minute",
    ):
        assert words in page


def test_preview_names_the_readers_day_where_it_is_another(client: Client) -> None:
    typed = {**TYPED, "times": "0:30", "starts_at": "2030-07-01T00:00", "days": []}
    page = client.get(PREVIEW, typed).content.decode()
    assert "Tue 2 Jul 2030 00:30" in page
    assert "<td>Mon 1 Jul 2030 22:30</td>" in page


def test_preview_counts_what_else_is_due_in_that_minute(client: Client) -> None:
    client.post(ADD, TYPED)
    assert "1 other task is due" in client.get(PREVIEW, TYPED).content.decode()
    own = RecurringTask.objects.get().pk
    assert "Nothing else is due" in client.get(PREVIEW, {**TYPED, "pk": own}).content.decode()


def test_preview_says_what_is_not_complete(client: Client) -> None:
    page = client.get(PREVIEW, {**TYPED, "times": "nine"}).content.decode()
    assert "nine is not a time of day" in page


def test_preview_saves_nothing(client: Client) -> None:
    client.get(PREVIEW, TYPED)
    assert not RecurringTask.objects.exists()


def test_choosing_a_task_shows_what_it_touches_and_asks_for_its_arguments(client: Client) -> None:
    address = reverse("admin:scheduling_recurringtask_arguments")
    page = client.get(address, {"task": tasks.send_report.name}).content.decode()
    assert "E-mails whoever is named." in page
    assert 'type="date" name="argument-since"' in page
    assert "How many days it covers." in page


def test_showing_a_task_never_runs_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(tasks.send_report, "run", lambda **given: ran.append(given))
    client.get(page_of(save()))
    assert not ran


def test_lookup_finds_rows_as_their_own_page_would(client: Client) -> None:
    group = Group.objects.create(name="Night shift")
    address = reverse("admin:scheduling_recurringtask_lookup", args=[tasks.send_report.name, "group_id"])
    page = client.get(address, {"argument-group_id": "night"}).content.decode()
    assert f'<option value="{group.pk}">Night shift</option>' in page


def test_lookup_shows_only_what_the_reader_may_see(client: Client) -> None:
    client.force_login(make_staff("scheduling.add_recurringtask"))
    address = reverse("admin:scheduling_recurringtask_lookup", args=[tasks.send_report.name, "group_id"])
    assert client.get(address).status_code == 403


def test_history_tells_what_came_of_each_occurrence(client: Client) -> None:
    saved = save(start_time=timezone.now() - timedelta(hours=4, minutes=30))
    rules = saved.recurrence
    rules.defined_at = timezone.now() - timedelta(hours=3)
    rules.save()
    history = client.get(page_of(saved)).context["history"]
    assert [row.words for row in history.rows] == ["no record"] * 3


def test_history_tells_who_ran_it_by_hand(client: Client) -> None:
    saved = save(description="asked for by finance")
    schedules.run_now(saved, by="Ana")
    [row] = client.get(page_of(saved)).context["history"].rows
    assert row.why == "run by hand, Ana"


def test_older_parts_of_the_history_have_addresses(client: Client) -> None:
    saved = save(start_time=timezone.now() - timedelta(hours=50, minutes=30))
    Recurrence.objects.update(defined_at=timezone.now() - timedelta(hours=50))
    newest = client.get(page_of(saved)).context["history"]
    older = client.get(page_of(saved) + newest.older).context["history"]
    assert [len(part.rows) for part in (newest, older)] == [30, 20]
    assert newest.rows[-1].due_at > older.rows[0].due_at
    assert older.older == ""
    assert client.get(page_of(saved) + older.newer).context["history"] == newest


def test_what_code_defines_has_no_form(client: Client) -> None:
    owned = sync()
    page = client.get(page_of(owned))
    assert page.context["form"] is None
    assert "What it does and when is changed where it is defined" in page.content.decode()
    assert client.post(page_of(owned), TYPED).status_code == 403
