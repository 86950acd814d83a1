"""What a member of staff does on the main path, and what they must then see."""

import re
import secrets
from collections.abc import Callable
from functools import cached_property

from tests.services import wait_until
from tests.smoke.browser import Browser, Page

# New names in each run, for the database may be one that is kept.
RUN = secrets.token_hex(3)
EMAIL = f"smoke-{RUN}@backoffice.example"
PASSWORD = secrets.token_urlsafe(16)
CUSTOMER = f"customer-{RUN}@shop.example"
PRODUCT = f"Tea {RUN}"
RUN_SECONDS = 60


class Path:
    """One walk: each step leaves what the next ones need."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    @cached_property
    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        return [
            ("log in", self.log_in),
            ("add a customer and a product", self.add_customer_and_product),
            ("create an order with two lines", self.create_order),
            ("find its payment details", self.find_payment_details),
            ("find its planned reminder", self.find_reminder),
            ("move the reminder to now", self.move_reminder_to_now),
            ("see its result", self.see_result),
            ("see it in the order's timeline", self.see_timeline),
        ]

    def log_in(self) -> None:
        page = self.browser.get("login/")
        page = self.browser.submit(page.form("username"), {"username": EMAIL, "password": PASSWORD})
        assert "/login/" not in page.url, page.text

    def add_customer_and_product(self) -> None:
        self.customer_id = self.add("orders/customer", {"email": CUSTOMER, "first_name": "Ada"})
        self.product_id = self.add(
            "orders/product", {"sku": RUN, "name": PRODUCT, "price": "3.50", "currency": "EUR"}
        )

    def add(self, room: str, values: dict[str, str]) -> str:
        """Fill in the form of a new object, and return the key that its page then has."""
        page = self.browser.get(f"{room}/add/")
        page = self.browser.submit(page.form(next(iter(values))), values, button="_continue")
        assert page.url.endswith("/change/"), f"not saved: {page.text}"
        return page.url.split("/")[-3]

    def create_order(self) -> None:
        self.order_id = self.add(
            "orders/order",
            {
                "customer": self.customer_id,
                "lines-TOTAL_FORMS": "2",
                "lines-0-product": self.product_id,
                "lines-0-quantity": "2",
                "lines-0-discount": "0",
                "lines-1-description": "Gift wrapping",
                "lines-1-quantity": "1",
                "lines-1-unit_price": "10.00",
                "lines-1-discount": "0",
            },
        )

    def find_payment_details(self) -> None:
        self.expect(self.order_page(), "17.00 EUR", "due")

    def find_reminder(self) -> None:
        self.reminder = f"order:{self.order_id}/payment-reminder"
        page = self.browser.get("scheduling/delayedtask/", q=self.reminder)
        self.do_now = page.link(r"/scheduling/delayedtask/\d+/do-now/$")

    def move_reminder_to_now(self) -> None:
        dialog = self.browser.get(self.do_now)
        self.expect(self.browser.submit(dialog.form("csrfmiddlewaretoken")), "due now")

    def see_result(self) -> None:
        wait_until(self.reminder_succeeded, seconds=RUN_SECONDS)

    def reminder_succeeded(self) -> bool:
        done = {"schedule": self.reminder, "state": "done"}
        page = self.browser.get("django_celery_results/taskresult/", **done)
        return any(re.search(r"/taskresult/\d+/", link) for link in page.links)

    def see_timeline(self) -> None:
        self.expect(self.order_page(), "Payment for your order", "this is a reminder")

    def order_page(self) -> Page:
        return self.browser.get(f"orders/order/{self.order_id}/change/")

    def expect(self, page: Page, *words: str) -> None:
        missing = [word for word in words if word not in page.text]
        assert not missing, f"{page.url} does not say {missing}: {page.text}"
