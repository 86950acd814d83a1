"""Pages of runs keep themselves up to date, and disturb nobody who reads or works there."""

import pytest
from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult
from playwright.sync_api import expect

from scheduling.encoding import encode_error
from scheduling.models import Run
from tests.e2e.conftest import Open
from tests.factories import make_superuser
from tests.scheduling import sample_tasks
from tests.scheduling.runs import make_run
from tests.scheduling.test_failures import make_failure

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/django_celery_results/taskresult/"


def start(run: Run) -> None:
    TaskResult.objects.filter(task_id=run.pk).update(status=states.STARTED, date_started=timezone.now())


def test_list_shows_what_happens_without_being_asked(open_page: Open) -> None:
    run = make_run()
    page = open_page(make_superuser(), LIST)
    expect(page.locator("#live-status")).to_have_text("Live")
    start(run)
    make_run(states.FAILURE)
    expect(page.locator(".run-state-running")).to_have_count(1)
    expect(page.locator("[data-run]")).to_have_count(2)
    expect(page.get_by_role("link", name="Running 1")).to_be_visible()


def test_list_that_was_empty_fills_itself(open_page: Open) -> None:
    page = open_page(make_superuser(), LIST)
    expect(page.locator("[data-run]")).to_have_count(0)
    make_run()
    expect(page.locator("[data-run]")).to_have_count(1)
    page.get_by_role("button", name="Cancel: Prune old runs").click()
    expect(page.locator("#dialog h1")).to_have_text("Cancel this run?")


def test_list_keeps_its_place(open_page: Open) -> None:
    runs = [make_run() for _ in range(40)]
    page = open_page(make_superuser(), LIST)
    row = page.locator(f"tbody:has([data-run='{runs[5].task_result.pk}'])")
    row.scroll_into_view_if_needed()
    place = row.evaluate("one => one.getBoundingClientRect().y")
    assert page.evaluate("scrollY") > 0
    for _ in range(3):
        make_run(states.FAILURE)
    expect(page.locator("[data-run]")).to_have_count(43)
    page.wait_for_function(
        "([one, place]) => Math.abs(one.getBoundingClientRect().y - place) < 2",
        arg=[row.element_handle(), place],
    )


def test_list_keeps_ticks_focus_and_selected_text(open_page: Open) -> None:
    run = make_run()
    page = open_page(make_superuser(), LIST)
    page.get_by_label("Tick Prune old runs").check()
    page.get_by_role("link", name="Prune old runs").focus()
    page.locator("[data-run]").select_text()
    start(run)
    expect(page.locator(".run-state-running")).to_have_count(1)
    expect(page.locator(".run-tick:checked")).to_have_count(1)
    expect(page.get_by_role("link", name="Prune old runs")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "Prune old runs"


def test_ticked_run_stays_when_it_leaves_the_filter(open_page: Open) -> None:
    run = make_run()
    page = open_page(make_superuser(), f"{LIST}?state=waiting")
    page.get_by_label("Tick Prune old runs").check()
    start(run)
    expect(page.get_by_role("link", name="Running 1")).to_be_visible()
    expect(page.locator(".run-tick:checked")).to_have_count(1)


def test_list_keeps_an_open_menu_and_an_open_dialog(open_page: Open) -> None:
    make_run()
    page = open_page(make_superuser(), LIST)
    page.locator(".filter-open-button").click()
    apply = page.get_by_role("button", name="Apply Filters")
    expect(apply).to_be_visible()
    make_run(states.FAILURE)
    expect(page.locator("[data-run]")).to_have_count(2)
    expect(apply).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel: Prune old runs").click()
    page.locator("#dialog").get_by_label("Reason").fill("paid by")
    make_run(states.FAILURE)
    page.wait_for_timeout(6000)
    expect(page.locator("#dialog").get_by_label("Reason")).to_have_value("paid by")


def test_paused_list_stands_still_until_it_is_resumed(open_page: Open) -> None:
    page = open_page(make_superuser(), LIST)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    page.reload()
    expect(page.locator("#live-status")).to_have_text("Paused")
    make_run()
    page.wait_for_timeout(6000)
    expect(page.locator("[data-run]")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-run]")).to_have_count(1)


def test_link_to_older_runs_follows_what_is_shown(open_page: Open) -> None:
    runs = [make_run() for _ in range(52)]
    page = open_page(make_superuser(), LIST)
    expect(page.locator("[data-run]")).to_have_count(50)
    make_run(states.FAILURE)
    expect(page.locator(".run-state-failed")).to_have_count(1)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**p=**")
    shown = page.locator("[data-run]").evaluate_all("all => all.map(one => one.dataset.run)")
    assert shown == [str(run.task_result.pk) for run in reversed(runs[:3])]


def test_page_of_a_run_follows_it_with_the_focus_on_a_button(open_page: Open) -> None:
    run = make_run(states.STARTED, progress_current=10, progress_total=100)
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    Run.objects.filter(pk=run.pk).update(progress_current=62)
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "62")
    expect(stop).to_be_focused()
    TaskResult.objects.filter(task_id=run.pk).update(status=states.SUCCESS, date_done=timezone.now())
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#dialog h1")).to_have_text("Run this run again?")


def test_unfolded_traceback_stays_unfolded(open_page: Open) -> None:
    error = encode_error(OSError("refused"))
    run = make_failure(result=error, traceback='Traceback:\n  File "/x.py", line 1, in f\n    g()\n')
    page = open_page(make_superuser(), f"{LIST}{run.pk}/change/")
    page.get_by_text("Whole traceback").click()
    folded = page.locator("details").first.evaluate("one => one.open")
    Run.objects.filter(pk=run.pk).update(reason="looked at")
    expect(page.get_by_text("looked at")).to_be_visible()
    assert page.locator("details").first.evaluate("one => one.open") == folded


def test_buttons_follow_their_cause_when_another_comes_first(open_page: Open) -> None:
    make_failure("OSError: refused", due_at=timezone.now())
    page = open_page(make_superuser(), f"{LIST}failures/")
    page.get_by_role("button", name="Retry one").focus()
    newest = make_failure(
        "KeyError: x", task_name=sample_tasks.remind.name, due_at=timezone.now(), kwargs={"order_id": 1}
    )
    expect(page.get_by_role("button", name="Retry one")).to_have_count(2)
    page.get_by_role("button", name="Retry one").first.click()
    page.locator("#dialog").get_by_role("button", name="Run again").click()
    expect(page.get_by_text("It is being run again")).to_be_visible()
    assert Run.objects.get(again_of=newest.pk)
