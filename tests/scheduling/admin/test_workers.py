from datetime import timedelta

import pytest
from celery import current_app, states
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_results.models import TaskResult

from scheduling.admin.workers import last_week
from tests.factories import make_staff
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db

PAGE = "/scheduling/process/"


@pytest.fixture(autouse=True)
def no_charts_of_other_tests() -> None:
    cache.clear()


def test_page_names_who_lives_and_what_each_runs(admin_client: Client) -> None:
    make_process("worker", name="celery@worker-a")
    make_process("scheduler", broker_failing_since=timezone.now(), broker_error="refused")
    make_run(states.STARTED, progress_words="page 3")
    content = admin_client.get(PAGE).content.decode()
    for words in ("celery@worker-a", "page 3", "takes no messages", "refused"):
        assert words in content


def test_page_says_when_nobody_is_there(admin_client: Client) -> None:
    content = admin_client.get(PAGE).content.decode()
    assert "No worker is running" in content
    assert "No scheduler is running" in content


def test_page_says_who_is_silent(admin_client: Client) -> None:
    make_process("worker", seen_at=timezone.now() - timedelta(minutes=5))
    assert "silent" in admin_client.get(PAGE).content.decode()


def test_page_says_what_a_worker_refused(admin_client: Client) -> None:
    make_process("worker", refused=2, refused_because="its format application/x-yaml is forbidden")
    content = admin_client.get(PAGE).content.decode()
    assert "2 messages refused" in content
    assert "application/x-yaml is forbidden" in content


def test_page_asks_as_many_questions_for_many_workers(
    admin_client: Client,
) -> None:
    def count() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            admin_client.get(PAGE)
        return len(captured)

    make_process("worker")
    few = count()
    for number in range(5):
        make_process("worker", name=f"celery@{number}", queues=[f"queue-{number}"])
        make_run(states.STARTED, worker=f"celery@{number}")
        make_run(queue=f"queue-{number}")
    assert count() == few


def test_page_is_for_who_may_view(client: Client) -> None:
    client.force_login(make_staff())
    assert client.get(PAGE).status_code == 403
    client.force_login(make_staff("scheduling.view_process", email="viewer@shop.example"))
    assert client.get(PAGE).status_code == 200


def test_nobody_writes_a_heartbeat_by_hand(admin_client: Client) -> None:
    process = make_process("worker")
    for action in ("add/", f"{process.pk}/delete/"):
        assert admin_client.post(f"{PAGE}{action}").status_code == 403


def test_hours_that_are_over_are_counted_once() -> None:
    now = timezone.now()
    make_run(states.SUCCESS, date_done=now - timedelta(hours=5))
    make_run(states.SUCCESS, date_done=now)
    first = last_week(now=now)
    TaskResult.objects.all().delete()
    second = last_week(now=now)
    assert (len(first), sum(hour.done for hour in first)) == (168, 2)
    assert (len(second), sum(hour.done for hour in second)) == (168, 1)


def test_page_names_the_broker_and_what_it_lacks(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(current_app.conf, "broker_write_url", "sqs://")
    content = admin_client.get(PAGE).content.decode()
    assert "Amazon SQS" in content
    assert "remote control" in content
