from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from scheduling import schedules
from scheduling.models import Recurrence, RecurringTask, Run
from tests.e2e.conftest import Open, refuse_barriers, tab_to
from tests.factories import make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.test_schedules import save, sync

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("admin:scheduling_recurringtask_add")
LIST = reverse("admin:scheduling_recurringtask_changelist")


def page_of(row: RecurringTask) -> str:
    return reverse("admin:scheduling_recurringtask_change", args=[row.pk])


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
    page.get_by_role("button", name="Run now", exact=True).click()
    expect(page.get_by_text("Done for 2 of 2 schedules.")).to_be_visible()


@pytest.mark.parametrize(
    ("button", "typed", "words"),
    [
        ("Run now", {}, "Sales report runs now."),
        ("Skip next", {}, "Sales report skips its run of"),
        ("Duplicate", {"name": "Second report"}, "Sales report copied as Second report, which is paused."),
        (
            "Pause",
            {"until": "2030-01-02T09:30", "reason": "holidays"},
            "Sales report paused until Wed 2 Jan 2030",
        ),
    ],
)
def test_a_schedule_is_steered_from_its_page_by_keyboard(
    open_page: Open, button: str, typed: dict[str, str], words: str
) -> None:
    saved = save()
    page = open_page(make_superuser(), page_of(saved))
    tab_to(page, f"[aria-label='{button}: Sales report']")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    for name, value in typed.items():
        page.locator(f"#dialog [name={name}]").fill(value)
    tab_to(page, "#dialog [type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words)).to_be_visible()


def test_a_dialog_is_left_with_escape_and_nothing_is_done(open_page: Open) -> None:
    saved = save()
    page = open_page(make_superuser(), page_of(saved))
    page.get_by_role("button", name="Pause: Sales report").press("Enter")
    expect(page.locator("#dialog [name=reason]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Pause: Sales report")).to_be_focused()
    assert RecurringTask.objects.get().enabled


def test_a_dialog_names_its_schedule_takes_the_focus_and_is_closed_by_its_own_button(open_page: Open) -> None:
    page = open_page(make_superuser(), page_of(save()))
    page.get_by_role("button", name="Pause: Sales report").press("Enter")
    dialog = page.get_by_role("dialog", name="Pause this schedule?")
    expect(dialog.get_by_text("Sales report, every hour")).to_be_visible()
    expect(dialog.locator("[name=reason]")).to_be_focused()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    assert RecurringTask.objects.get().enabled


def test_a_button_that_is_pressed_twice_runs_once(open_page: Open) -> None:
    page = open_page(make_superuser(), page_of(save()))
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Run now: Sales report").click()
    page.locator("#dialog [type=submit]").dblclick()
    expect(page.get_by_text("Sales report runs now.")).to_be_visible()
    assert len(posted) == 1
    assert Run.objects.count() == 1


def test_history_is_paged_by_keyboard_and_leaves_what_was_typed(open_page: Open) -> None:
    saved = save(start_time=timezone.now() - timedelta(hours=70, minutes=30))
    Recurrence.objects.update(defined_at=timezone.now() - timedelta(hours=70))
    page = open_page(make_superuser(), page_of(saved))
    page.locator("[name=description]").fill("half a sentence")
    rows = page.locator("#history tbody tr")
    newest = rows.first.text_content() or ""
    tab_to(page, "#history a[rel=next]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/?before=*")
    expect(rows.first).not_to_have_text(newest)
    # Until then the links of the part that came in lead to a page of its own.
    expect(page.locator(".htmx-added, .htmx-settling")).to_have_count(0)
    tab_to(page, "#history a[rel=next]")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(10)
    expect(page.locator("#history a[rel=next]")).to_have_count(0)
    expect(page.locator("[name=description]")).to_have_value("half a sentence")
    oldest = rows.first.inner_text()
    page.reload()
    expect(rows.first).to_contain_text(oldest.splitlines()[0].split("\t")[0])
    page.get_by_role("link", name="Newest").click()
    expect(rows).to_have_count(30)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_pages_have_no_barriers(open_page: Open, width: int, dark: bool) -> None:
    sync()
    schedules.pause(save("Resting"), reason="holidays")
    saved = save(start_time=timezone.now() - timedelta(hours=70, minutes=30))
    Recurrence.objects.filter(pk=saved.pk).update(defined_at=timezone.now() - timedelta(hours=70))
    schedules.run_now(saved, by="Ana")
    user = make_superuser()
    for path in (LIST, f"{LIST}?show=paused", f"{LIST}?q=nothing", ADD, f"{ADD}?kind=once", page_of(saved)):
        page = open_page(user, path, width=width, dark=dark)
        page.wait_for_timeout(500)
        refuse_barriers(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_what_opens_on_the_pages_has_no_barriers(open_page: Open, width: int, dark: bool) -> None:
    save()
    page = open_page(make_superuser(), LIST, width=width, dark=dark)
    page.get_by_role("button", name="Pause: Sales report").click()
    expect(page.locator("#dialog")).to_be_visible()
    page.wait_for_timeout(500)
    refuse_barriers(page, within="#dialog")
    page.keyboard.press("Escape")
    page.locator("#result_list .action-select").check()
    page.locator("select[name=action]").select_option("pause_ticked")
    page.locator("#changelist-actions-wrapper button").first.click()
    expect(page.get_by_role("heading", name="Pause 1 schedule?")).to_be_visible()
    refuse_barriers(page)
    page.goto(page.url.partition("/scheduling/")[0] + ADD)
    page.locator("[name=task]").select_option(tasks.send_report.name)
    page.locator("[name=argument-recipients]").fill("finance")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.wait_for_timeout(500)
    refuse_barriers(page)
