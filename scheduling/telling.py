"""Telling of an alert: by e-mail and by webhook."""

import json
from urllib.request import Request, urlopen

from django.core.mail import send_mail
from django.utils import timezone

from scheduling.models import AlertRule

WEBHOOK_TIMEOUT_SECONDS = 10.0


def tell(rule: AlertRule, *, found: str) -> str:
    """Send what a rule found to whom it names.

    Args:
        found: what was found, in words.

    Returns:
        Who was told, in words.

    Raises:
        OSError, smtplib.SMTPException: the mail server or the webhook did not take it.
    """
    addresses = addresses_of(rule.emails)
    if addresses:
        words = f"{found}\n\nYou are told because of the alert rule “{rule.name}”."
        send_mail(f"Alert: {rule.name}", words, None, addresses)
    if rule.webhook_url:
        _post(rule.webhook_url, {"rule": rule.name, "found": found, "at": timezone.now().isoformat()})
    return ", ".join([*addresses, *([rule.webhook_url] if rule.webhook_url else [])]) or "nobody"


def addresses_of(emails: str) -> list[str]:
    """Return addresses from a text that separates them by commas."""
    return [address.strip() for address in emails.split(",") if address.strip()]


def _post(url: str, content: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    # The rule's form takes only http and https addresses.
    request = Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=WEBHOOK_TIMEOUT_SECONDS):  # noqa: S310
        pass
