"""Telling of an alert: by e-mail and by webhook."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.core.mail import send_mail
from django.utils import timezone

from scheduling.models import AlertRule

WEBHOOK_TIMEOUT_SECONDS = 10.0


def ways_of(rule: AlertRule) -> list[str]:
    """Return how a rule wants to be told: by "email", by "webhook", by both or by none."""
    wanted = (("email", addresses_of(rule.emails)), ("webhook", rule.webhook_url))
    return [way for way, address in wanted if address]


def tell(rule: AlertRule, *, found: str, way: str) -> str:
    """Send what a rule found to whom it names.

    Args:
        found: what was found, in words.
        way: one of `ways_of`.

    Returns:
        Who was told, in words.

    Raises:
        OSError, smtplib.SMTPException: the mail server or the webhook did not take it.
    """
    if way not in ways_of(rule):
        return "nobody: the rule names none any more"
    return _by_email(rule, found) if way == "email" else _by_webhook(rule, found)


def addresses_of(emails: str) -> list[str]:
    """Return addresses from a text that separates them by commas."""
    return [address.strip() for address in emails.split(",") if address.strip()]


def _by_email(rule: AlertRule, found: str) -> str:
    addresses = addresses_of(rule.emails)
    words = f"{found}\n\nYou are told because of the alert rule “{rule.name}”."
    send_mail(f"Alert: {rule.name}", words, None, addresses)
    return ", ".join(addresses)


def _by_webhook(rule: AlertRule, found: str) -> str:
    body = json.dumps({"rule": rule.name, "found": found, "at": timezone.now().isoformat()}).encode()
    # The rule's form takes only http and https addresses.
    request = Request(rule.webhook_url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=WEBHOOK_TIMEOUT_SECONDS):  # noqa: S310
            return rule.webhook_url
    except HTTPError as refusal:
        # It holds the connection open.
        refusal.close()
        raise
