"""The list of task results, and the page of one."""

import uuid
from datetime import timedelta

import pytest
from celery import states
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from django_celery_results.models import GroupResult, TaskResult
from pytest_django import DjangoAssertNumQueries

from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db

LIST = "/django_celery_results/taskresult/"


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{LIST}{query}")
    assert response.status_code == 200
    return [result.task_id for result in response.context["cl"].result_list]


def test_stock_admins_are_gone() -> None:
    assert not admin.site.is_registered(GroupResult)
    assert type(admin.site.get_model_admin(TaskResult)).__module__ == "scheduling.admin.task_results"


def test_list_stands_under_a_name_that_staff_know(admin_client: Client) -> None:
    assert "Celery" not in admin_client.get(LIST).content.decode()


def test_tab_without_rows_says_so_in_words(admin_client: Client) -> None:
    make_run(states.SUCCESS)
    assert "Nothing has failed." in admin_client.get(f"{LIST}?state=failed").content.decode()
    assert "Nothing matches." in admin_client.get(f"{LIST}?state=failed&period=1h").content.decode()


def test_list_shows_the_newest_first(admin_client: Client) -> None:
    runs = [make_run(), make_run(), make_run()]
    assert listed(admin_client) == [run.pk for run in reversed(runs)]


def test_list_asks_as_many_questions_for_many_runs(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_run(states.FAILURE, subject="order:1")
    admin_client.get(LIST)
    with django_assert_num_queries(9) as few:
        admin_client.get(LIST)
    for _ in range(30):
        make_run(states.FAILURE, subject="order:1")
    with django_assert_num_queries(len(few)):
        admin_client.get(LIST)


def test_list_never_counts_the_table(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_run()
    with django_assert_num_queries(8) as captured:
        admin_client.get(LIST)
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
    assert all("LIMIT 1000" in sql for sql in counts)


def test_older_page_starts_where_the_last_ended(admin_client: Client) -> None:
    runs = [make_run() for _ in range(52)]
    older = admin_client.get(LIST).context["cl"].older
    make_run()
    assert listed(admin_client, older) == [runs[1].pk, runs[0].pk]


@pytest.mark.parametrize(
    ("tab", "status"),
    [
        ("waiting", states.RETRY),
        ("running", states.STARTED),
        ("failed", states.FAILURE),
        ("done", states.SUCCESS),
        ("cancelled", states.REVOKED),
    ],
)
def test_tab_shows_its_state_alone(admin_client: Client, tab: str, status: str) -> None:
    runs = {
        state: make_run(state)
        for state in (states.RETRY, states.STARTED, states.FAILURE, states.SUCCESS, states.REVOKED)
    }
    assert listed(admin_client, f"?state={tab}") == [runs[status].pk]


def test_tab_counts_follow_the_other_filters(admin_client: Client) -> None:
    make_run(worker="celery@a")
    make_run(worker="celery@b")
    tabs = admin_client.get(f"{LIST}?worker=celery@a&state=failed").context["state_tabs"]
    assert [(tab["title"], tab["count"]) for tab in tabs[:3]] == [
        ("Waiting", "1"),
        ("Running", "0"),
        ("Failed", "0"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "?task=scheduling.tasks.prune_results",
        "?schedule=Prune+old+runs",
        "?worker=celery@b",
        "?period=1h",
        "?q=order:7",
        "?q=prune",
        "?q=Prune+old+runs",
    ],
)
def test_list_is_narrowed_to(admin_client: Client, query: str) -> None:
    wanted = make_run(periodic_task_name="Prune old runs", worker="celery@b", subject="order:7")
    old = timezone.now() - timedelta(hours=2)
    make_run(task_name="orders.tasks.other", periodic_task_name="Other", date_created=old)
    assert listed(admin_client, query) == [wanted.pk]


def test_search_finds_an_id(admin_client: Client) -> None:
    wanted = make_run()
    make_run()
    assert listed(admin_client, f"?q={wanted.pk}") == [wanted.pk]


def test_search_for_nothing_known_is_empty(admin_client: Client) -> None:
    make_run()
    assert listed(admin_client, "?q=nonsense") == []


def test_empty_list_is_shown(admin_client: Client) -> None:
    assert listed(admin_client) == []


def test_result_without_a_run_is_shown(admin_client: Client) -> None:
    result = TaskResult.objects.create(task_id=str(uuid.uuid4()), task_name="elsewhere.task")
    assert listed(admin_client) == [result.task_id]
    assert admin_client.get(f"{LIST}{result.pk}/change/").status_code == 200


@pytest.mark.parametrize("action", ["add/", "1/delete/"])
def test_nobody_adds_or_deletes_by_hand(admin_client: Client, action: str) -> None:
    assert admin_client.get(f"{LIST}{action}").status_code in (302, 403)
    assert admin_client.post(f"{LIST}{action}").status_code in (302, 403)


def test_run_cannot_be_edited(admin_client: Client) -> None:
    run = make_run()
    assert admin_client.post(f"{LIST}{run.pk}/change/", {"status": "SUCCESS"}).status_code == 405


def test_unknown_run_leads_back(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}{uuid.uuid4()}/change/").status_code == 302
