"""The order desk as its people use it: by keyboard, on a telephone, in the dark."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Page, expect

from orders.models import Order, OrderPaymentDetails, OrderStatus, User
from tests.e2e.conftest import Open, tab_to, violations
from tests.factories import make_customer, make_line, make_order, make_product, make_superuser
from tests.scheduling.factories import make_run

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "/",
    "/orders/order/",
    "/orders/order/add/",
    "/orders/customer/",
    "/orders/product/",
    "/orders/payment/",
    "/orders/user/",
    "/auth/group/",
)


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def staff() -> User:
    return make_superuser()


@pytest.fixture
def order() -> Order:
    order = make_order(customer=make_customer("ana@antares.example", first_name="Ana", last_name="Trujillo"))
    make_line(order, "88.80", product=make_product("88.80", name="Chai"))
    OrderPaymentDetails.objects.filter(order=order).update(due_at=timezone.now() - timedelta(days=3))
    order.refresh_from_db()
    return order


def look_up(page: Page, words: str) -> None:
    """Choose the first answer of the lookup that has the focus."""
    page.keyboard.press("Enter")
    expect(page.locator(".select2-search__field")).to_be_focused()
    page.keyboard.type(words)
    page.locator(".select2-results__option--highlighted", has_text=words).wait_for()
    page.keyboard.press("Enter")


def test_order_with_two_lines_is_entered_by_keyboard(open_page: Open, staff: User) -> None:
    make_customer("ana@antares.example", first_name="Ana", last_name="Trujillo")
    make_product("18.00", name="Chai")
    make_product("10.00", name="Syrup")
    page = open_page(staff, "/orders/order/add/")
    tab_to(page, ".field-customer .select2-selection")
    look_up(page, "Trujillo")
    tab_to(page, ".field-product .select2-selection")
    look_up(page, "Chai")
    tab_to(page, "[name=lines-0-quantity]")
    page.keyboard.press("Control+A")
    page.keyboard.type("6")
    tab_to(page, ".add-row")
    page.keyboard.press("Enter")
    expect(page.locator(".field-product:has([name=lines-1-product]) .select2-selection")).to_be_focused()
    look_up(page, "Syrup")
    tab_to(page, "[name=_save]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/order/")
    assert Order.objects.get().total == Decimal("118.00")


def test_payment_is_recorded_in_a_dialog(open_page: Open, staff: User, order: Order) -> None:
    page = open_page(staff, f"/orders/order/{order.pk}/change/")
    page.get_by_role("link", name="Record payment").click()
    page.locator("#dialog [name=reference]").fill("BANK-1")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text(f"{order}: 88.80 EUR received.")).to_be_visible()
    assert Order.objects.get().status == OrderStatus.PAID


def test_reminder_is_done_now_from_the_page_of_its_order(open_page: Open, staff: User) -> None:
    order = make_order("10.00")
    page = open_page(staff, f"/orders/order/{order.pk}/change/")
    page.get_by_role("button", name="Do now: Payment reminder").click()
    page.get_by_role("button", name="Do it now").click()
    expect(page.get_by_text("payment reminder is to be done now.")).to_be_visible()


def test_payment_is_recorded_from_the_dashboard(open_page: Open, staff: User, order: Order) -> None:
    page = open_page(staff, "/")
    page.get_by_role("button", name=f"Record payment: {order}").click()
    page.locator("#dialog [name=reference]").fill("BANK-1")
    page.get_by_role("button", name="Record it").click()
    page.wait_for_url(f"**/orders/order/{order.pk}/change/")
    assert Order.objects.get().status == OrderStatus.PAID


def test_customer_is_reminded_from_the_dashboard(open_page: Open, staff: User, order: Order) -> None:
    PeriodicTask.objects.filter(name__endswith="payment-reminder").delete()
    page = open_page(staff, "/")
    page.get_by_role("button", name=f"Remind: {order}").press("Enter")
    page.get_by_role("button", name="Send a reminder").click()
    expect(page.get_by_text(f"{order}: a reminder is on its way.")).to_be_visible()
    assert PeriodicTask.objects.filter(name__startswith=f"order:{order.pk}/payment-reminder-").exists()


def test_what_failed_is_retried_from_the_dashboard(open_page: Open, staff: User, order: Order) -> None:
    make_run(subject=f"order:{order.pk}", status="FAILURE", date_done=timezone.now())
    page = open_page(staff, "/")
    page.get_by_role("button", name=f"Retry: Report for {order}").press("Enter")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("It is being run again: this is the new run.")).to_be_visible()


def test_what_runs_next_is_called_off_from_the_dashboard_by_keyboard(
    open_page: Open, staff: User, order: Order
) -> None:
    page = open_page(staff, "/")
    what = f"Payment reminder for {order} {order.customer}"
    tab_to(page, f"summary[aria-label='What can be done: {what}']")
    page.keyboard.press("Enter")
    tab_to(page, f"[aria-label='Cancel: {what}']")
    page.keyboard.press("Enter")
    page.locator("#dialog [name=reason]").fill("paid in cash")
    page.get_by_role("button", name="Cancel the task").press("Enter")
    expect(page.get_by_text("cancelled before it started")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_page_keeps_to_the_content_security_policy(
    open_page: Open, staff: User, order: Order, path: str
) -> None:
    page = open_page(staff, "/login/")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "ontent" in message.text else None)
    page.goto(page.url.removesuffix("/login/").removesuffix("/") + path, wait_until="load")
    page.wait_for_timeout(200)
    assert refused == []


@pytest.mark.parametrize("path", ["/", "/orders/order/", "/orders/order/add/", "/orders/order/{}/change/"])
def test_page_fits_a_telephone(open_page: Open, staff: User, order: Order, path: str) -> None:
    page = open_page(staff, path.format(order.pk), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_dashboard_can_be_read_by_everybody(open_page: Open, staff: User, order: Order, dark: bool) -> None:
    page = open_page(staff, "/", dark=dark)
    page.locator(".rows-next summary").first.click()
    assert violations(page, within=".desk") == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_of_an_order_can_be_read_by_everybody(
    open_page: Open, staff: User, order: Order, dark: bool
) -> None:
    page = open_page(staff, f"/orders/order/{order.pk}/change/", dark=dark)
    assert violations(page, within="#content-main") == []
