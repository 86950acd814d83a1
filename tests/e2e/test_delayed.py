"""Delayed tasks, clicked through: planned by hand, counted down, postponed, done, cancelled."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from scheduling.models import DelayedTask
from scheduling.planning import plan
from tests.e2e.conftest import Open, refuse_barriers, tab_to
from tests.factories import make_customer, make_order, make_superuser
from tests.scheduling import tasks_for_tests as tasks

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:scheduling_delayedtask_changelist")
ADD = reverse("admin:scheduling_recurringtask_add")
PLACES = """
    [...document.querySelectorAll("#result_list :is(td, th)")]
        .map((cell) => cell.getBoundingClientRect().toJSON())
"""
"""Where each cell of the list is."""


def plan_one(*, after: timedelta) -> None:
    plan("order:1/report", tasks.report, at=timezone.now() + after, reason="asked for")


def stop_the_clock(page: Page) -> None:
    """Load the page again with a clock that goes only when it is told to."""
    page.clock.install()
    page.reload()
    page.clock.pause_at(timezone.now() + timedelta(seconds=1))


def in_seconds(least: int, most: int) -> re.Pattern[str]:
    return re.compile(rf"in ({'|'.join(map(str, range(least, most + 1)))}) s")


def seconds_ago(least: int, most: int) -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(map(str, range(least, most + 1)))}) s ago")


def test_countdown_goes_on_without_a_reload_and_moves_nothing(open_page: Open) -> None:
    plan_one(after=timedelta(seconds=95))
    plan("order:2/report", tasks.report, at=timezone.now() + timedelta(days=2, hours=1))
    page = open_page(make_superuser(), LIST)
    stop_the_clock(page)
    first, second = page.locator("[data-countdown]").all()
    before = page.evaluate(PLACES)
    expect(first).to_have_text("in 1 min")
    page.clock.run_for(50_000)
    expect(first).to_have_text(in_seconds(10, 50))
    assert page.evaluate(PLACES) == before
    page.clock.run_for(60_000)
    expect(first).to_have_text(seconds_ago(1, 59))
    expect(second).to_have_text("in 2 days")


def test_countdown_goes_by_minutes_for_who_wants_little_motion(open_page: Open) -> None:
    plan_one(after=timedelta(seconds=200))
    page = open_page(make_superuser(), LIST)
    page.emulate_media(reduced_motion="reduce")
    stop_the_clock(page)
    shown = page.locator("[data-countdown]")
    expect(shown).to_have_text("in 3 min")
    page.clock.run_for(50_000)
    expect(shown).to_have_text("in 3 min")
    page.clock.run_for(15_000)
    expect(shown).to_have_text("in 2 min")


def test_one_planned_by_hand_stands_on_the_page_of_its_order_and_is_called_off_there(open_page: Open) -> None:
    order = make_order("10.00", customer=make_customer(first_name="Ana", last_name="Trujillo"))
    DelayedTask.objects.all().delete()
    user = make_superuser()
    page = open_page(user, LIST)
    page.locator("a[href$='/delayedtask/add/']").first.click()
    page.locator("[name=task]").select_option(label="Payment reminder")
    page.locator("[name=name]").fill("Ask Ana once more")
    lookup = page.locator("[name=argument-order_id]")
    lookup.press_sequentially(str(order.number))
    expect(page.locator(f"#found-order_id option[value='{order.pk}']")).to_be_attached()
    lookup.fill(str(order.pk))
    page.locator("[name=at]").fill("2030-01-02T09:30")
    expect(page.locator("#preview")).to_contain_text("Once, 2 Jan 2030 09:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Ask Ana once more is planned.")).to_be_visible()
    page.get_by_role("link", name=f"{order} Ana Trujillo").click()
    page.wait_for_url(f"**/orders/order/{order.pk}/change/")
    expect(page.get_by_text("because Ask Ana once more")).to_be_visible()
    page.get_by_role("button", name="Cancel: Payment reminder").press("Enter")
    page.locator("#dialog [name=because]").fill("she paid")
    page.get_by_role("button", name="Call it off").click()
    expect(page.get_by_text("Ask Ana once more called off: she paid").first).to_be_visible()
    assert not DelayedTask.objects.exists()


def test_a_delayed_task_is_postponed_and_cancelled_by_keyboard(open_page: Open) -> None:
    plan_one(after=timedelta(hours=2))
    page = open_page(make_superuser(), LIST)
    tab_to(page, "[aria-label='Postpone: Report']")
    page.keyboard.press("Enter")
    page.locator("#dialog [name=to]").fill("2030-01-02T09:30:00")
    tab_to(page, "#dialog [type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Report moved to Wed 2 Jan 2030 09:30")).to_be_visible()
    tab_to(page, "[aria-label='Cancel: Report']")
    page.keyboard.press("Enter")
    page.locator("#dialog [name=reason]").fill("not needed")
    tab_to(page, "#dialog [type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("cancelled before it started")).to_be_visible()
    assert not DelayedTask.objects.exists()


def test_a_delayed_task_is_done_now(open_page: Open) -> None:
    plan_one(after=timedelta(hours=2))
    page = open_page(make_superuser(), LIST)
    page.get_by_role("button", name="Do now: Report").click()
    page.locator("#dialog [type=submit]").click()
    expect(page.get_by_text("Report is due now.")).to_be_visible()
    expect(page.get_by_text("no scheduler is running")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_delayed_tasks_have_no_barriers(open_page: Open, width: int, dark: bool) -> None:
    user = make_superuser()
    refuse_barriers(open_page(user, LIST, width=width, dark=dark))
    plan_one(after=-timedelta(minutes=2))
    plan("order:2/report", tasks.report, at=timezone.now() + timedelta(days=2))
    page = open_page(user, LIST, width=width, dark=dark)
    refuse_barriers(page)
    page.get_by_role("button", name="Postpone: Report").first.click()
    expect(page.locator("#dialog")).to_be_visible()
    page.wait_for_timeout(500)
    refuse_barriers(page, within="#dialog")
    row = DelayedTask.objects.get(name="order:1/report")
    refuse_barriers(
        open_page(user, reverse("admin:scheduling_delayedtask_change", args=[row.pk]), width=width, dark=dark)
    )
