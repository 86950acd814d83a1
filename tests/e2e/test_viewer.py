"""The task result viewer, clicked through."""

from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult
from playwright.sync_api import Page, expect

from scheduling.alerting import watch
from scheduling.models import Rerun, Run
from tests.e2e.conftest import Open
from tests.factories import make_superuser
from tests.scheduling import sample_tasks
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.factories import deliver
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run
from tests.scheduling.test_failures import make_failure

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/django_celery_results/taskresult/"


def confirm(page: Page, button: str, **fields: str) -> None:
    dialog = page.locator("#dialog")
    for label, value in fields.items():
        dialog.get_by_label(label.replace("_", " ").capitalize()).fill(value)
    dialog.get_by_role("button", name=button).click()


def test_tab_and_filters_stand_in_the_address(open_page: Open) -> None:
    make_run(states.FAILURE)
    page = open_page(make_superuser(), f"{LIST}?period=24h")
    page.get_by_role("link", name="Failed 1").click()
    page.wait_for_url("**period=24h**state=failed**")
    expect(page.locator("[data-run]")).to_have_count(1)


def test_arguments_are_edited_in_fields(open_page: Open) -> None:
    old = make_failure(task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    page = open_page(make_superuser(), f"{LIST}{old.pk}/change/")
    page.get_by_role("button", name="Edit and run").click()
    confirm(page, "Run again", days="3")
    expect(page.get_by_text("with the arguments you gave")).to_be_visible()
    assert Run.objects.get(again_of=old.pk).kwargs == {"days": 3}


def test_ticked_runs_are_cancelled_with_proof(open_page: Open) -> None:
    for _ in range(3):
        make_run()
    page = open_page(make_superuser(), f"{LIST}?state=waiting")
    for box in page.locator(".run-tick").all()[:2]:
        box.check()
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("#dialog h1")).to_have_text("Cancel 2 runs?")
    confirm(page, "Cancel them", reason="paid by phone")
    expect(page.get_by_text("2 were cancelled before they started.")).to_be_visible()
    assert TaskResult.objects.filter(status=states.REVOKED).count() == 2


def test_dialog_refuses_at_the_field(open_page: Open) -> None:
    make_run()
    page = open_page(make_superuser(), f"{LIST}?state=waiting")
    page.get_by_role("button", name="Cancel…").click()
    confirm(page, "Cancel it")
    expect(page.locator("#dialog").get_by_text("This field is required")).to_be_visible()
    expect(page.locator("#dialog").get_by_label("Reason")).to_be_focused()
    confirm(page, "Cancel it", reason="paid by phone")
    expect(page.get_by_text("It was cancelled before it started.")).to_be_visible()


def test_running_run_is_stopped(open_page: Open) -> None:
    run = make_run(states.STARTED, progress_current=62, progress_total=100, progress_words="page 62")
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "62")
    page.get_by_role("button", name="Stop").click()
    confirm(page, "Stop it", reason="too slow")
    expect(page.get_by_text("It was stopped.")).to_be_visible()


def test_rest_of_a_cause_is_retried_at_a_pace_and_halted(open_page: Open) -> None:
    for _ in range(4):
        make_failure("OSError: refused")
    page = open_page(make_superuser(), f"{LIST}failures/")
    page.get_by_role("button", name="Retry the rest").click()
    expect(page.locator("#dialog h1")).to_have_text("Run 4 runs again?")
    expect(page.locator("#dialog").get_by_label("How many a minute")).to_have_value("10")
    confirm(page, "Run again")
    expect(page.get_by_text("4 are being run again, 10 a minute.")).to_be_visible()
    page.goto(page.url.split("?")[0] + "failures/")
    page.get_by_role("button", name="Halt").click()
    confirm(page, "Halt", reason="enough")
    expect(page.get_by_text("4 were taken back.")).to_be_visible()
    assert Rerun.objects.get().halted_at is not None


def test_one_is_retried_and_then_the_rest_which_halts_by_itself_when_it_fails_again(open_page: Open) -> None:
    for number in range(6):
        make_failure("ValueError: no such order", task_name=tasks.fail.name, kwargs={"name": str(number)})
    page = open_page(make_superuser(), f"{LIST}failures/")
    page.get_by_role("button", name="Retry one").click()
    confirm(page, "Run again")
    expect(page.get_by_text("this is the new run")).to_be_visible()
    deliver(Run.objects.exclude(again_of="").get())
    expect(page.locator(".run-head .run-state-failed")).to_be_visible()
    page.get_by_role("link", name="All task results").click()
    page.get_by_role("link", name="By cause").click()
    page.get_by_role("button", name="Retry the rest").click()
    expect(page.locator("#dialog h1")).to_have_text("Run 6 runs again?")
    confirm(page, "Run again")
    expect(page.get_by_text("6 are being run again, 10 a minute.")).to_be_visible()
    page.get_by_role("link", name="By cause").click()
    for run in Rerun.objects.get().runs.order_by("due_at")[:3]:
        deliver(run)
    expect(page.get_by_text("Halted: 3 of them failed again")).to_be_visible()
    assert TaskResult.objects.filter(run__rerun__isnull=False, status=states.REVOKED).count() == 3
    expect(page.locator("tbody .num").first).to_have_text("6")


def test_rule_is_made_and_shown_while_it_fires(open_page: Open) -> None:
    page = open_page(make_superuser(), "/scheduling/alertrule/add/")
    page.get_by_label("Name").fill("Nobody works")
    page.get_by_label("Watch for").select_option(label="no worker is alive on a queue")
    expect(page.get_by_label("Within minutes")).to_be_hidden()
    page.get_by_label("Queue").fill("mail")
    page.get_by_label("E-mail to").fill("ops@shop.example")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("No worker alive on queue mail")).to_be_visible()
    watch(now=timezone.now() - timedelta(minutes=2))
    watch(now=timezone.now())
    base = page.url.split("/scheduling")[0]
    for path in ("/", "/scheduling/process/", "/scheduling/alertrule/"):
        page.goto(f"{base}{path}", wait_until="load")
        expect(page.get_by_text("No worker is alive on queue mail.")).to_be_visible()


def test_waiting_run_says_why_it_waits(open_page: Open) -> None:
    make_process("scheduler", seen_at=timezone.now() - timedelta(minutes=4))
    run = make_run(hand_over_at=timezone.now())
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    expect(page.get_by_text("The scheduler has been silent for 4 min.")).to_be_visible()
    expect(page.get_by_text("No worker listens on queue celery.")).to_be_visible()
