"""The page of one run."""

import html
import re

import pytest
from celery import states
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from scheduling.encoding import encode, encode_error, encode_words
from scheduling.models import Attempt, Run
from tests.factories import make_order
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import make_recurring
from tests.scheduling.runs import make_run
from tests.scheduling.tasks_for_tests import log_in

pytestmark = pytest.mark.django_db

LIST = "/django_celery_results/taskresult/"


def page(client: Client, run: Run) -> str:
    response = client.get(reverse("admin:django_celery_results_taskresult_change", args=[run.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_page_asks_as_many_questions_for_many_attempts(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_run(states.FAILURE, attempt=4)
    for number in (1, 2, 3):
        Attempt.objects.create(run=run, number=number, ended_at=timezone.now(), error="refused")
    page(admin_client, run)
    with django_assert_num_queries(5):
        page(admin_client, run)


def test_page_names_the_arguments_by_the_words_of_their_fields(admin_client: Client) -> None:
    run = make_run(task_name=tasks.send_report.name, args=[["a@b.example"]], kwargs={"format": "xlsx"})
    content = page(admin_client, run)
    assert "<dt>Recipients</dt><dd>a@b.example</dd>" in content
    assert "<dt>Format</dt><dd>Excel</dd>" in content


def test_page_names_arguments_that_the_task_does_not_know(admin_client: Client) -> None:
    assert "<dt>Order id</dt><dd>1042</dd>" in page(admin_client, make_run(kwargs={"order_id": 1042}))


def test_page_shows_what_a_task_takes_by_position_together_and_hides_it_if_it_is_secret(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(task_name=tasks.try_codes.name, args=["front", "hush", "swordfish"])
    assert "swordfish" not in page(admin_client, run)
    monkeypatch.setattr(tasks.try_codes, "secret_arguments", ())
    assert "<dt>Codes</dt><dd>hush\nswordfish</dd>" in page(admin_client, run)


def test_page_names_and_links_the_row_that_an_argument_means(admin_client: Client) -> None:
    group = Group.objects.create(name="Finance")
    run = make_run(task_name=tasks.send_report.name, kwargs={"group_id": group.pk})
    link = f'<a href="{reverse("admin:auth_group_change", args=[group.pk])}">Finance</a>'
    assert link in page(admin_client, run)
    group.delete()
    assert f"<dt>Group</dt><dd>{run.kwargs['group_id']}</dd>" in page(admin_client, run)


@pytest.mark.parametrize("task_name", [log_in.name, "gone.task"])
def test_page_hides_secrets_even_of_a_task_that_is_gone(admin_client: Client, task_name: str) -> None:
    run = make_run(
        task_name=task_name, task_kwargs='{"password": "hidden"}', kwargs={"password": "correct horse"}
    )
    content = page(admin_client, run)
    assert "correct horse" not in content
    assert "hidden" in content


def test_page_links_schedule_subject_and_worker(admin_client: Client) -> None:
    order = make_order()
    schedule = make_recurring("Nightly report")
    of_schedule = page(admin_client, make_run(states.SUCCESS, periodic_task_name="Nightly report"))
    of_order = page(admin_client, make_run(subject=f"order:{order.pk}"))
    assert reverse("admin:scheduling_recurringtask_change", args=[schedule.pk]) in of_schedule
    assert f"{reverse('admin:scheduling_process_changelist')}#celery%40worker-a" in of_schedule
    assert reverse("admin:orders_order_change", args=[order.pk]) in of_order


def test_page_of_a_run_whose_schedule_was_deleted_links_its_other_runs(admin_client: Client) -> None:
    content = page(admin_client, make_run(periodic_task_name="Nightly report"))
    assert "<dt>key</dt>" in content
    assert "?schedule=Nightly%20report" in content


def test_page_leads_back_to_the_list_as_it_was_filtered(admin_client: Client) -> None:
    run = make_run(states.FAILURE)
    row = admin_client.get(f"{LIST}?state=failed&worker=celery@worker-a").content.decode()
    [address] = set(re.findall(rf'href="({LIST}{run.task_result.pk}/change/[^"]*)"', row))
    content = admin_client.get(html.unescape(address)).content.decode()
    assert f'href="{LIST}?state=failed&amp;worker=celery%40worker-a"' in content


def test_page_shows_the_frames_of_each_attempt(admin_client: Client) -> None:
    run = make_run(states.RETRY, attempt=2)
    traceback = f'Traceback:\n  File "{settings.BASE_DIR}/orders/tasks.py", line 12, in remind\n    send()\n'
    Attempt.objects.create(run=run, number=1, ended_at=timezone.now(), error="x", traceback=traceback)
    assert "orders/tasks.py:12" in page(admin_client, run)


def test_page_shows_what_was_returned(admin_client: Client) -> None:
    run = make_run(states.SUCCESS, result=encode("deleted 3 rows"))
    assert "deleted 3 rows" in page(admin_client, run)


def test_page_shows_our_own_frames_first(admin_client: Client) -> None:
    traceback = (
        "Traceback (most recent call last):\n"
        f'  File "{settings.BASE_DIR}/orders/tasks.py", line 12, in remind\n'
        "    send_mail()\n"
        '  File "/usr/lib/python3.13/smtplib.py", line 252, in connect\n'
        "    raise OSError\n"
        "OSError: refused\n"
    )
    run = make_run(states.FAILURE, result=encode_error(OSError("refused")), traceback=traceback)
    content = page(admin_client, run)
    assert "OSError: refused" in content
    assert content.index("orders/tasks.py:12") < content.index("smtplib.py")


def test_page_says_why_a_run_was_cancelled(admin_client: Client) -> None:
    run = make_run(
        states.REVOKED, not_run_because="cancelled", reason="the order was paid", result=encode_words("paid")
    )
    assert "the order was paid" in page(admin_client, run)
