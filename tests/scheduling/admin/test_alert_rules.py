from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from scheduling.models import AlertRule

pytestmark = pytest.mark.django_db

PAGE = "/scheduling/alertrule/"


def add(client: Client, **fields: Any) -> str:
    data = {
        "name": "Reminders fail",
        "enabled": "on",
        "kind": "failures",
        "task_name": "scheduling.tasks.prune_results",
        "threshold": "3",
        "window_minutes": "60",
        "pause_minutes": "30",
        "emails": "ops@shop.example,lead@shop.example",
        **fields,
    }
    return client.post(f"{PAGE}add/", data).content.decode()


def test_rule_is_added(admin_client: Client) -> None:
    add(admin_client)
    rule = AlertRule.objects.get()
    assert (rule.threshold, rule.emails) == (3, "ops@shop.example, lead@shop.example")


def test_address_that_is_none_is_refused_by_name(admin_client: Client) -> None:
    assert "ops is not an e-mail address" in add(admin_client, emails="ops, lead@shop.example")


def test_task_that_is_not_there_is_refused(admin_client: Client) -> None:
    add(admin_client, task_name="os.system")
    assert not AlertRule.objects.exists()


def test_webhook_takes_web_addresses_alone(admin_client: Client) -> None:
    add(admin_client, webhook_url="file:///etc/passwd")
    assert not AlertRule.objects.exists()


@pytest.mark.parametrize("kind", AlertRule.Kind.values)
def test_list_tells_each_rule_in_words(admin_client: Client, kind: str) -> None:
    AlertRule.objects.create(name="Watch", kind=kind, firing_since=timezone.now(), found="It is bad.")
    content = admin_client.get(PAGE).content.decode()
    assert "It is bad." in content
    assert "shown on the screens" in content
