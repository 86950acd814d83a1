"""The web process, and staff who create orders in it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from backoffice.process_group import commands
from orders.models import User
from tests import services
from tests.faults.stage import Stage
from tests.smoke.browser import Browser, Form, Page, read

PASSWORD = "only-for-faults"
TIMEOUT_SECONDS = 120


class NotSaved(Exception):
    """The web answered, but with no saved order."""


class Web:
    """A gunicorn with its workers, in a process group of its own."""

    def __init__(self, stage: Stage) -> None:
        self._port = services.free_port()
        self._log = (stage.folder / "web.log").open("ab")
        self.root = f"http://localhost:{self._port}/"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        module, *arguments = commands(self._port)["web"].split()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            start_new_session=True,
            stdout=self._log,
            stderr=self._log,
        )
        services.wait_until(self._answers, self._process)

    def kill(self) -> None:
        """Kill it with all its workers."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(Browser(self.root).get("login/").forms)
        except OSError:
            return False


@contextmanager
def web(stage: Stage) -> Iterator[Web]:
    """Run the web process for as long as the block lasts."""
    running = Web(stage)
    try:
        yield running
    finally:
        running.kill()


class StayHere(HTTPRedirectHandler):
    """Lets the answer to a form be the answer: what it redirects to is another request."""

    def redirect_request(self, *args: Any) -> None:
        return None


class Desk(Browser):
    """A member of staff who has the forms of a new order and a new customer open."""

    def __init__(self, root: str, *, email: str) -> None:
        super().__init__(root)
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()), StayHere())
        with suppress(HTTPError):
            self.submit(self.get("login/").form("username"), {"username": email, "password": PASSWORD})
        self._order = self.get("orders/order/add/").form("customer")
        self._customer = self.get("orders/customer/add/").form("email")

    def create_order(self, reference: str, *, customer: User) -> float:
        """Send the form of a new order with one line.

        Returns:
            The seconds until it was saved.

        Raises:
            NotSaved, OSError: it was not, or nobody knows.
        """
        line = {"description": "Tea", "quantity": "2", "unit_price": "3.50", "discount": "0"}
        values = {"customer": str(customer.pk), "reference": reference, "lines-TOTAL_FORMS": "1"}
        return self._create(self._order, values | {f"lines-0-{name}": value for name, value in line.items()})

    def create_customer(self, email: str) -> float:
        """Send the form of a new customer, and return and raise as `create_order` does."""
        return self._create(self._customer, {"email": email})

    def _create(self, form: Form, values: dict[str, str]) -> float:
        began = time.monotonic()
        try:
            page = self.submit(form, values)
        except HTTPError as answer:
            if answer.code == HTTPStatus.FOUND:
                return time.monotonic() - began
            raise NotSaved(str(answer)) from answer
        raise NotSaved(page.text[:500])

    def _open(self, request: Request) -> Page:
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return read(response.url, response.read().decode())


def make_staff(email: str) -> User:
    """Make somebody who may create orders."""
    return User.objects.create_superuser(email, password=PASSWORD)


def make_customer() -> User:
    return User.objects.create_user("customer@shop.example")
