"""Who may see and do what in the viewer: every action, every role, by GET and by POST."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import states
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from orders.models import User
from scheduling.admin.run_verbs import ACTIONS
from scheduling.models import AlertRule, Rerun, Run
from scheduling.rerunning import Again, run_many_again
from tests.factories import make_staff, make_superuser
from tests.scheduling import sample_tasks
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db

VIEW = "django_celery_results.view_taskresult"
RULE = "/scheduling/alertrule/"
RULE_ID = 1_000
"""Not one that the database would give to the next rule."""
SINGLE = [
    "scheduling.run_task",
    "scheduling.cancel_run",
    "scheduling.pause_schedule",
    "django_celery_results.delete_taskresult",
]
PAGES = {
    "/django_celery_results/taskresult/": VIEW,
    "/django_celery_results/taskresult/failures/": VIEW,
    "/django_celery_results/taskresult/run/change/": VIEW,
    "/scheduling/process/": "scheduling.view_process",
    RULE: "scheduling.view_alertrule",
    f"{RULE}{RULE_ID}/change/": "scheduling.view_alertrule",
}
RULE_DEEDS = {"add/": "add", f"{RULE_ID}/change/": "change", f"{RULE_ID}/delete/": "delete"}
STATE_FOR = {"cancel": states.PENDING, "stop": states.STARTED}


def log_in(client: Client, who: str) -> set[str]:
    """Log somebody in and return what they may: a role's name, or one permission beside looking."""
    roles: dict[str, Callable[[], User]] = {"nobody": make_staff, "superuser": make_superuser}
    if who != "anonymous":
        make = roles.get(who, lambda: make_staff(*{VIEW, who} - {"viewer"}))
        client.force_login(make())
    return {VIEW, who} if who not in ("anonymous", *roles) else set()


def everything() -> list[Any]:
    """Return all that an action could change."""
    return [
        list(TaskResult.objects.order_by("pk").values_list("status", "result")),
        list(Run.objects.order_by("pk").values_list("reason", "again_as")),
        list(Rerun.objects.order_by("pk").values_list("halted_at")),
        list(AlertRule.objects.order_by("pk").values_list("name")),
        PeriodicTask.objects.count(),
        LogEntry.objects.count(),
    ]


def address_of(action: str) -> str:
    """Make something that an action can be done to, and return its dialog's address."""
    address = reverse(f"admin:django_celery_results_taskresult_{action}")
    if action == "halt":
        failed = [make_run(states.FAILURE).pk for _ in range(2)]
        rerun = run_many_again(failed, how=Again(by="Ana", token="1", per_minute=1), words="reminders")
        return f"{address}?rerun={rerun.pk}"
    state = STATE_FOR.get(action, states.FAILURE)
    run = make_run(state, task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    return f"{address}?_selected_action={run.task_result.pk}"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["anonymous", "nobody", "viewer", *SINGLE, "superuser"])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_for_who_has_its_permission_and_by_post_alone(
    client: Client, action: str, who: str, method: str
) -> None:
    allowed = ACTIONS[action].permission in log_in(client, who) or who == "superuser"
    address = address_of(action)
    before = everything()
    data = {"_form_submitted": "True", "reason": "enough", "which": "chosen", "argument-days": 3}
    response = client.get(address) if method == "get" else client.post(address, data)
    assert (everything() != before) == (allowed and method == "post")
    if not allowed:
        assert response.status_code == (302 if who == "anonymous" else 403)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_not_for_who_may_not_look(client: Client, action: str) -> None:
    client.force_login(make_staff(ACTIONS[action].permission))
    address = address_of(action)
    before = everything()
    assert client.post(address, {"_form_submitted": "True", "reason": "enough"}).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_knows_no_other_method(admin_client: Client, action: str, method: str) -> None:
    address = address_of(action)
    before = everything()
    assert getattr(admin_client, method)(address).status_code == 405
    assert everything() == before


@pytest.mark.parametrize("who", ["anonymous", "nobody", *sorted(set(PAGES.values())), "superuser"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_for_who_may_look_and_changes_nothing(client: Client, page: str, who: str) -> None:
    make_run(states.FAILURE, task_id="run")
    AlertRule.objects.create(pk=RULE_ID, name="Backlog", kind="backlog")
    may = log_in(client, who)
    before = everything()
    status = client.get(page).status_code
    assert (status == 200) == (PAGES[page] in may or who == "superuser")
    assert everything() == before


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "who", ["anonymous", "nobody", *(f"scheduling.{deed}_alertrule" for deed in RULE_DEEDS.values())]
)
@pytest.mark.parametrize("path", RULE_DEEDS)
def test_a_rule_is_changed_by_who_may(client: Client, path: str, who: str, method: str) -> None:
    AlertRule.objects.create(pk=RULE_ID, name="Backlog", kind="backlog")
    allowed = f"scheduling.{RULE_DEEDS[path]}_alertrule" in log_in(client, who)
    data = {
        "name": "Long backlog",
        "kind": "backlog",
        "threshold": 3,
        "window_minutes": 5,
        "pause_minutes": 5,
        "post": "yes",
    }
    before = everything()
    getattr(client, method)(f"{RULE}{path}", data if method == "post" else None)
    assert (everything() != before) == (allowed and method == "post")
