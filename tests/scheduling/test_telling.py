import json
import smtplib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail

from scheduling.models import AlertRule
from scheduling.tasks import tell
from scheduling.telling import ways_of

pytestmark = pytest.mark.django_db


class Hook(HTTPServer):
    """A web server that keeps what is posted to it, and answers as told."""

    status = 200
    posted: list[Any]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Keeps one post."""

    server: Hook

    def do_POST(self) -> None:
        """Keep it."""
        self.server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook(("127.0.0.1", 0), Handler) as server:
        server.posted = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def make_rule(**fields: Any) -> AlertRule:
    return AlertRule.objects.create(name="Watch", kind=AlertRule.Kind.NOBODY, **fields)


def test_a_rule_is_told_in_each_way_it_names() -> None:
    both = make_rule(emails="a@shop.example", webhook_url="https://hooks.shop.example/")
    assert ways_of(both) == ["email", "webhook"]
    assert ways_of(AlertRule(emails=" , ")) == []


def test_an_email_goes_to_all_it_names() -> None:
    rule = make_rule(emails="a@shop.example, b@shop.example", webhook_url="https://hooks.shop.example/")
    assert tell(rule.pk, "No worker is alive.", "email") == "a@shop.example, b@shop.example"
    [message] = mail.outbox
    assert (message.subject, message.to) == ("Alert: Watch", ["a@shop.example", "b@shop.example"])
    assert "No worker is alive." in message.body


def test_a_webhook_gets_what_was_found(hook: Hook) -> None:
    rule = make_rule(emails="a@shop.example", webhook_url=hook.url)
    assert tell(rule.pk, "No worker is alive.", "webhook") == hook.url
    [posted] = hook.posted
    assert (posted["rule"], posted["found"]) == ("Watch", "No worker is alive.")
    assert mail.outbox == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_refuses_fails_the_run(hook: Hook, status: int) -> None:
    hook.status = status
    rule = make_rule(webhook_url=hook.url)
    with pytest.raises(OSError, match=str(status)):
        tell(rule.pk, "No worker is alive.", "webhook")


def test_telling_is_tried_again_when_nobody_takes_it() -> None:
    assert set(tell.autoretry_for) == {OSError, smtplib.SMTPException}


def test_telling_of_a_deleted_rule_does_nothing() -> None:
    assert tell(404, "anything", "email") == "the rule was deleted"
    assert mail.outbox == []


def test_telling_in_a_way_that_was_taken_out_of_the_rule_does_nothing() -> None:
    rule = make_rule()
    assert tell(rule.pk, "anything", "webhook").startswith("nobody")
