"""Tests that click: Debian's Chromium against a live server, logged in, with an axe at hand."""

import os
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from orders.models import User

CHROMIUM = "/usr/bin/chromium"
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
PATIENCE = 30_000
"""Milliseconds to wait for a page: nothing waits so long unless the machine is busy with other tests."""

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is not installed")
    # Playwright's loop runs in this thread, in which Django would then refuse to ask its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """Open a path of the live server as somebody: `open_page(user, "/…", width=390, dark=True)`."""
    contexts = []

    def open_page(user: User, path: str, *, width: int = 1280, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{live_server.url}{path}", wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


IS_OPAQUE = """
    within => {
        let one = document.querySelector(within || "body");
        while (one && getComputedStyle(one).opacity === "1") one = one.parentElement;
        return !one;
    }
"""


def violations(page: Page, *, within: str = "") -> list[str]:
    """Return what axe finds against WCAG 2.2 AA on a page, or in a part of it, one line each."""
    # What fades in has too little contrast meanwhile.
    page.wait_for_function(IS_OPAQUE, arg=within)
    found = Axe().run(page, context=within or None, options={"runOnly": WCAG})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def refuse_barriers(page: Page, *, within: str = "") -> None:
    """Fail if a page, or a part of it, has a barrier for somebody, or is wider than the screen."""
    found = violations(page, within=within)
    assert not found, "\n".join([page.url, *found])
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{page.url} is {overflow} px wider than the screen"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what matches has the focus."""
    for _ in range(120):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by keyboard")
