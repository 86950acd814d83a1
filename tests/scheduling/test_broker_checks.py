import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from backoffice.settings.brokers import broker_settings
from scheduling.broker_checks import check_broker, check_redis
from scheduling.transports import find_transport
from tests import services

type Use = Callable[[str], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Point the settings at a broker."""

    def point(url: str) -> None:
        given = broker_settings(url)
        for name, value in given.items():
            monkeypatch.setitem(current_app.conf, name.removeprefix("CELERY_").lower(), value)

    return point


def ids(messages: list[Any]) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis+socket:///run/broker.sock?virtual_host=0",
        "rediss://broker.example:6379/0",
        "amqp://guest:guest@127.0.0.1//",
        "amqps://user:word@broker.example//",
        "sqs://key:secret@sqs.eu-central-1.amazonaws.com/?region=eu-central-1",
        "sqs://?region=eu-central-1",
        "sqs://key:secret@127.0.0.1:5000/?is_secure=false",
        "zookeeper://[::1]:2181/",
    ],
)
def test_safe_broker_passes(use: Use, url: str) -> None:
    use(url)
    assert check_broker() == []


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("redis://broker.example:6379/0", "rediss://"),
        ("amqp://user:word@10.0.0.7//", "amqps://"),
        ("sqs://key:secret@queue.example:5000/?is_secure=false", "is_secure"),
        ("zookeeper://broker.example:2181/", "private network"),
    ],
)
def test_plain_text_over_a_network_is_told_with_the_way_out(use: Use, url: str, way: str) -> None:
    use(url)
    (warning,) = check_broker()
    assert warning.id == "scheduling.W012"
    assert way in str(warning.hint)


def test_broker_that_was_never_tried_is_refused(use: Use) -> None:
    use("memory://")
    assert ids(check_broker()) == ["scheduling.E010"]


MISSING = {
    "zookeeper://localhost:2181/": ("kazoo", "zookeeper"),
    "sqs://key:secret@localhost/": ("boto3", "sqs"),
    "sqs://key:secret@127.0.0.1/": ("pycurl", "sqs"),
}


@pytest.mark.parametrize("url", MISSING)
def test_missing_client_library_names_the_group_that_brings_it(
    use: Use, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    module, group = MISSING[url]
    monkeypatch.setitem(sys.modules, module, None)
    use(url)
    (error,) = check_broker()
    assert error.id == "scheduling.E011"
    assert module in error.msg
    assert f"--with {group}" in str(error.hint)
    with pytest.raises(ImproperlyConfigured, match=f"needs {module}. .*--with {group}"):
        find_transport(url.partition(":")[0])


@pytest.mark.parametrize("url", MISSING)
def test_process_without_the_client_library_says_so_in_words(url: str) -> None:
    module, group = MISSING[url]
    script = f"import sys; sys.modules[{module!r}] = None; from django.core import management"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; management.execute_from_command_line(['manage.py', 'check'])"],
        env={**os.environ, "CELERY_BROKER_URL": url, "DJANGO_SETTINGS_MODULE": "backoffice.settings.test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"--with {group}" in done.stderr
    assert "Traceback" not in done.stderr


def test_redis_that_may_drop_or_forget_messages_is_told(use: Use) -> None:
    with services.redis_server("--maxmemory-policy", "allkeys-lru") as service:
        use(service.url)
        assert ids(check_redis(databases=["default"])) == ["scheduling.W013", "scheduling.W014"]


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru"])
def test_redis_that_keeps_all_messages_passes(use: Use, policy: str) -> None:
    with services.redis_server("--appendonly", "yes", "--maxmemory-policy", policy) as service:
        use(service.url)
        assert check_redis(databases=["default"]) == []


def test_redis_that_does_not_answer_holds_up_no_check(use: Use) -> None:
    use(f"redis://127.0.0.1:{services.free_port()}/0")
    assert check_redis(databases=["default"]) == []


def test_redis_is_not_asked_unless_databases_are(use: Use) -> None:
    with services.redis_server("--maxmemory-policy", "allkeys-lru") as service:
        use(service.url)
        assert check_redis() == []
