from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from scheduling import schedules
from scheduling.models import DelayedTask, RecurringTask
from scheduling.planning import plan
from tests.e2e.conftest import Open, violations
from tests.factories import make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.test_schedules import save, sync

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("admin:scheduling_recurringtask_add")
LIST = reverse("admin:scheduling_recurringtask_changelist")
DELAYED = reverse("admin:scheduling_delayedtask_changelist")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(80):
        if page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def choose(page: Page, selector: str, words: str, *, value: str) -> None:
    """Choose an option by typing its words, again if the browser took a pause for the end of them."""
    tab_to(page, selector)
    for _ in range(5):
        page.keyboard.type(words)
        if page.locator(selector).input_value() == value:
            return
        page.wait_for_timeout(1_100)
    raise AssertionError(f"{words} cannot be chosen by typing")


def test_a_first_schedule_needs_a_keyboard_but_neither_cron_nor_json(open_page: Open) -> None:
    page = open_page(make_superuser(), ADD)
    choose(page, "[name=task]", "Sales report", value="orders.tasks.sales_report")
    page.keyboard.press("Tab")
    page.keyboard.type("Sales report to finance")
    page.locator("[name=argument-recipients]").wait_for()
    tab_to(page, "[name=argument-recipients]")
    page.keyboard.type("finance@shop.example")
    tab_to(page, "[name=times]")
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    for day in range(1, 6):
        tab_to(page, f"[name=days][value='{day}']")
        page.keyboard.press("Space")
    choose(page, "[name=zone]", "Berlin", value="Europe/Berlin")
    expect(page.locator("#preview")).to_contain_text("Every weekday at 09:00, Berlin time")
    tab_to(page, "#schedule-form [type=submit]")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("Sales report to finance runs every weekday at 09:00, Berlin time.")
    ).to_be_visible()
    saved = RecurringTask.objects.get()
    assert (saved.kwargs, saved.crontab.hour) == ('{"recipients": ["finance@shop.example"]}', "9")


def test_the_form_shows_only_the_fields_of_the_chosen_kind(open_page: Open) -> None:
    page = open_page(make_superuser(), ADD)
    page.get_by_text("Crontab", exact=True).first.click()
    page.locator("[name=cron]").fill("*/15 8-17 * * mon-fri")
    expect(page.locator("[name=times]")).to_be_hidden()
    expect(page.locator("#preview")).to_contain_text("every 15 minutes", ignore_case=True)
    page.locator("[name=cron]").fill("nonsense")
    expect(page.locator("#preview")).to_contain_text("five fields")


def test_a_mistake_is_told_at_its_field_and_linked(open_page: Open) -> None:
    page = open_page(make_superuser(), ADD)
    page.locator("[name=task]").select_option(tasks.send_report.name)
    page.locator("[name=argument-recipients]").fill("finance")
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("finance: Enter a valid email address.")
    alert.get_by_role("link", name="Recipients").click()
    expect(page.locator("[name=argument-recipients]")).to_be_focused()


def test_a_schedule_is_paused_and_resumed_from_the_list(open_page: Open) -> None:
    save()
    page = open_page(make_superuser(), LIST)
    page.get_by_role("button", name="Pause: Sales report").press("Enter")
    page.locator("#dialog [name=reason]").fill("holidays")
    page.locator("#dialog [type=submit]").click()
    expect(page.get_by_text("Sales report paused: holidays.")).to_be_visible()
    page.get_by_role("button", name="Resume: Sales report").click()
    page.locator("#dialog [type=submit]").click()
    expect(page.get_by_text("Sales report resumed.")).to_be_visible()
    assert RecurringTask.objects.get().enabled


def test_several_are_run_from_the_list(open_page: Open) -> None:
    save("One")
    save("Two")
    page = open_page(make_superuser(), LIST)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("run_ticked")
    page.locator(
        "#changelist-actions-wrapper button[type=submit], #changelist-actions-wrapper button"
    ).first.click()
    page.get_by_role("button", name="Run now 2 schedules").click()
    expect(page.get_by_text("Done for 2 of 2 schedules.")).to_be_visible()


def test_a_delayed_task_is_postponed_and_cancelled(open_page: Open) -> None:
    plan("order:1/report", tasks.report, at=timezone.now() + timedelta(hours=2), reason="asked for")
    page = open_page(make_superuser(), DELAYED)
    page.get_by_role("button", name="Postpone: Report").click()
    page.locator("#dialog [name=to]").fill("2030-01-02T09:30:00")
    page.locator("#dialog [type=submit]").click()
    expect(page.get_by_text("Report moved to Wed 2 Jan 2030 09:30")).to_be_visible()
    page.get_by_role("button", name="Cancel: Report").click()
    page.locator("#dialog [name=reason]").fill("not needed")
    page.locator("#dialog [type=submit]").click()
    expect(page.get_by_text("cancelled before it started")).to_be_visible()
    assert not DelayedTask.objects.exists()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_pages_have_no_barriers(open_page: Open, width: int, dark: bool) -> None:
    sync()
    schedules.pause(save("Resting"), reason="holidays")
    saved = save()
    schedules.run_now(saved, by="Ana")
    plan("order:1/report", tasks.report, at=timezone.now() - timedelta(minutes=2), reason="asked for")
    change = reverse("admin:scheduling_recurringtask_change", args=[saved.pk])
    user = make_superuser()
    found = []
    for path in (LIST, ADD, change, DELAYED):
        page = open_page(user, path, width=width, dark=dark)
        page.wait_for_timeout(500)
        found += [f"{path} {one}" for one in violations(page)]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{path} is {overflow} px wider than the screen"
    assert not found, "\n".join(found)
