"""The viewer's pages for everyone: by keyboard, on a telephone, in the dark, with a screen reader."""

from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone
from playwright.sync_api import expect

from scheduling.models import AlertRule, Attempt, Run
from tests.e2e.conftest import Open, violations
from tests.factories import make_superuser
from tests.scheduling import sample_tasks
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run
from tests.scheduling.test_failures import make_failure

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/django_celery_results/taskresult/"
PAGES = [
    LIST,
    f"{LIST}failed/change/",
    f"{LIST}failures/",
    "/scheduling/process/",
    "/scheduling/alertrule/",
    "/scheduling/alertrule/add/",
]


def fill() -> Run:
    """Store something of each kind."""
    now = timezone.now()
    make_process("worker", name="celery@worker-a")
    make_process("scheduler", broker_failing_since=now, broker_error="refused")
    AlertRule.objects.create(name="Backlog", kind="backlog", firing_since=now, found="It is bad.")
    traceback = (
        'Traceback (most recent call last):\n  File "/x.py", line 1, in f\n    g()\nOSError: refused\n'
    )
    run = make_failure(
        task_id="failed", subject="order:7", kwargs={"order_id": 7}, attempt=2, traceback=traceback
    )
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
    running = Run.objects.get(task_result__status=states.STARTED)
    for path in (
        f"{LIST}{waiting.pk}/change/",
        f"{LIST}{running.pk}/change/",
        f"{LIST}{failed.pk}/change/",
        f"{LIST}failures/",
        "/scheduling/process/",
        "/scheduling/alertrule/",
        "/scheduling/alertrule/add/",
    ):
        page.goto(f"{base}{path}", wait_until="load")
        for details in page.locator("#content-main details").all():
            details.evaluate("one => one.open = true")
        found += violations(page, within="#content-main")
    assert found == []


@pytest.mark.parametrize("path", PAGES)
def test_small_screen_needs_no_scrolling_sideways(open_page: Open, path: str) -> None:
    fill()
    page = open_page(make_superuser(), path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    frames = page.locator(".table-frame, div:has(> #result_list)").evaluate_all(
        "all => all.map(one => one.scrollWidth - one.clientWidth)"
    )
    assert max(frames, default=0) <= 1, "more than what rounding makes"


def test_list_fits_beside_the_sidebar(open_page: Open) -> None:
    fill()
    make_failure("SMTPRecipientsRefused: a long story of mailboxes that do not exist " * 4)
    page = open_page(make_superuser(), LIST, width=1440)
    frame = page.locator("div:has(> #result_list)")
    assert frame.evaluate("one => one.scrollWidth - one.clientWidth") <= 0


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_dialogs_have_no_barrier(open_page: Open, width: int, dark: bool) -> None:
    make_run()
    make_run(states.STARTED)
    make_failure(task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    page = open_page(make_superuser(), LIST, width=width, dark=dark)
    found = []
    for title in ("Cancel…", "Stop…", "Run again…", "Delete old…"):
        page.get_by_role("button", name=title).click()
        expect(page.locator("#dialog")).to_be_visible()
        found += violations(page, within="#dialog")
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
    page.get_by_role("link", name="Send a report").click()
    page.get_by_role("button", name="Edit and run").click()
    expect(page.locator("#dialog")).to_be_visible()
    assert found + violations(page, within="#dialog") == []


def test_run_is_cancelled_by_keyboard_alone(open_page: Open) -> None:
    run = make_run()
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    page.get_by_role("button", name="Cancel: Prune old runs").focus()
    page.keyboard.press("Enter")
    reason = page.locator("#dialog").get_by_label("Reason")
    expect(reason).to_be_focused()
    page.keyboard.type("paid by phone")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It was cancelled before it started.")).to_be_visible()


def test_filters_are_set_by_keyboard(open_page: Open) -> None:
    make_run(states.FAILURE)
    make_run(states.SUCCESS)
    page = open_page(make_superuser(), LIST)
    filters = page.get_by_role("button", name="Filters", exact=False).first
    first = page.locator("#changelist-filter input").first
    filters.focus()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(filters).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
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
