"""A schedule in a time zone that this machine does not know, as SQL may write it, breaks no page."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from scheduling import schedules
from scheduling.models import RecurringTask
from tests.factories import make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import make_crontab, make_recurring
from tests.scheduling.test_schedules import save

pytestmark = pytest.mark.django_db
LIST = reverse("admin:scheduling_recurringtask_changelist")
WORDS = "never, as the time zone Mars/Olympus is not known here"


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_superuser())
    return client


@pytest.fixture
def lost() -> RecurringTask:
    make_recurring("On Mars", crontab=make_crontab(hour="9"), start_time=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = %s", ["Mars/Olympus"])
    return RecurringTask.objects.get(name="On Mars")


def page_of(row: RecurringTask) -> str:
    return reverse("admin:scheduling_recurringtask_change", args=[row.pk])


def test_list_says_so_and_shows_the_others(client: Client, lost: RecurringTask) -> None:
    save("On Earth")
    page = client.get(LIST).content.decode()
    assert WORDS in page
    assert "On Earth" in page


def test_its_page_says_so_and_asks_for_another_zone(client: Client, lost: RecurringTask) -> None:
    page = client.get(page_of(lost)).content.decode()
    assert WORDS in page.replace("Never", "never")
    assert '<option value="">Mars/Olympus is not known here: choose another</option>' in page


def test_it_is_mended_in_the_form(client: Client, lost: RecurringTask) -> None:
    typed = {
        "name": "On Earth",
        "task": tasks.report.name,
        "kind": "cron",
        "cron": "0 9 * * *",
        "overlap": "skip",
        "spread_seconds": "0",
    }
    assert client.post(page_of(lost), typed).status_code == 422
    client.post(page_of(lost), {**typed, "zone": "Europe/Berlin"})
    mended = RecurringTask.objects.get()
    assert str(mended.crontab.timezone) == "Europe/Berlin"
    assert mended.recurrence.next_due_at > timezone.now()


def test_it_can_be_paused_resumed_and_copied(lost: RecurringTask) -> None:
    schedules.pause(lost, reason="to be mended")
    assert schedules.resume(lost).recurrence.next_due_at is None
    schedules.duplicate(lost, name="Second on Mars")
    assert RecurringTask.objects.count() == 2


def test_it_can_be_deleted(client: Client, lost: RecurringTask) -> None:
    address = reverse("admin:scheduling_recurringtask_delete", args=[lost.pk])
    assert client.get(address).status_code == 200
    client.post(address, {"post": "yes"})
    assert not RecurringTask.objects.exists()


def test_a_zone_that_is_no_place_stays_chosen(client: Client) -> None:
    make_recurring("Central", crontab=make_crontab(hour="9", timezone="CET"))
    page = client.get(page_of(RecurringTask.objects.get())).content.decode()
    assert '<option value="CET" selected>CET</option>' in page
