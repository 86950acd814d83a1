"""The task result viewer, clicked through."""

from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult
from playwright.sync_api import Page, expect

from scheduling.models import AlertRule, Attempt, Rerun, Run
from tests.e2e.conftest import Open, violations
from tests.factories import make_superuser
from tests.scheduling import sample_tasks
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


def test_filters_are_set_by_keyboard(open_page: Open) -> None:
    make_run(states.FAILURE)
    make_run(states.SUCCESS)
    page = open_page(make_superuser(), LIST)
    filters = page.get_by_role("button", name="Filters", exact=False).first
    filters.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter input").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(filters).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#changelist-filter").get_by_label("Failed").press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**state=failed**")
    expect(page.locator("[data-run]")).to_have_count(1)


def test_failed_run_is_run_again_by_keyboard(open_page: Open) -> None:
    old = make_failure(task_name=sample_tasks.remind.name, kwargs={"order_id": 7})
    page = open_page(make_superuser(), f"{LIST}{old.pk}/change/")
    page.get_by_role("button", name="Run again: Remind").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog h1")).to_have_text("Run this run again?")
    page.locator("#dialog").get_by_role("button", name="Run again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is being run again")).to_be_visible()
    new = Run.objects.get(again_of=old.pk)
    assert page.url.endswith(f"{new.pk}/change/")
    expect(page.get_by_role("heading", name="Why hasn’t it run?")).to_be_visible()


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
    confirm(page, "Cancel them")
    expect(page.locator("#dialog").get_by_text("This field is required")).to_be_visible()


def test_running_run_is_stopped(open_page: Open) -> None:
    run = make_run(states.STARTED, progress_current=62, progress_total=100, progress_words="page 62")
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "62")
    page.get_by_role("button", name="Stop").click()
    confirm(page, "Stop them", reason="too slow")
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


def fill() -> Run:
    """Store something of each kind."""
    now = timezone.now()
    make_process("worker", name="celery@worker-a")
    make_process("scheduler", broker_failing_since=now, broker_error="refused")
    AlertRule.objects.create(name="Backlog", kind="backlog", firing_since=now, found="It is bad.")
    traceback = (
        'Traceback (most recent call last):\n  File "/x.py", line 1, in f\n    g()\nOSError: refused\n'
    )
    run = make_failure(subject="order:7", kwargs={"order_id": 7}, attempt=2, traceback=traceback)
    Attempt.objects.create(run=run, number=1, ended_at=now, error="OSError: refused", traceback=traceback)
    make_run(states.STARTED, progress_current=62, progress_total=100)
    make_run(states.SUCCESS, date_done=now)
    make_run(states.REVOKED, not_run_because="missed", date_done=now)
    return make_run(due_at=now - timedelta(hours=1))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_pages_have_no_barrier(open_page: Open, width: int, dark: bool) -> None:
    waiting = fill()
    failed = Run.objects.exclude(cause="").get()
    page = open_page(make_superuser(), LIST, width=width, dark=dark)
    found = violations(page, within="#content-main")
    base = page.url.removesuffix(LIST)
    for path in (
        f"{LIST}{waiting.pk}/change/",
        f"{LIST}{failed.pk}/change/",
        f"{LIST}failures/",
        "/scheduling/process/",
        "/scheduling/alertrule/",
    ):
        page.goto(f"{base}{path}", wait_until="load")
        for details in page.locator("#content-main details").all():
            details.evaluate("one => one.open = true")
        found += violations(page, within="#content-main")
    assert found == []


@pytest.mark.parametrize("path", [f"{LIST}failures/", "/scheduling/process/"])
def test_small_screen_needs_no_scrolling_sideways(open_page: Open, path: str) -> None:
    fill()
    page = open_page(make_superuser(), path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    frames = page.locator(".table-frame").evaluate_all(
        "all => all.map(one => one.scrollWidth - one.clientWidth)"
    )
    assert max(frames) <= 0


def test_dialog_has_no_barrier(open_page: Open) -> None:
    run = make_failure(task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    page.get_by_role("button", name="Edit and run").click()
    expect(page.locator("#dialog")).to_be_visible()
    assert violations(page, within="#dialog") == []
