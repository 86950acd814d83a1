from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks

from scheduling.checks import check_publishers
from scheduling.publishing_calls import find_publishing_calls

PUBLISHING = """
from shop.tasks import send_receipt

def on_order_saved(sender, instance, **kwargs):
    send_receipt.delay(instance.pk)
"""


def found_in(source: str) -> list[tuple[str, str]]:
    return list(find_publishing_calls(source, name="shop/receivers.py"))


def test_a_receiver_that_publishes_is_named() -> None:
    assert found_in(PUBLISHING) == [("shop/receivers.py:5 (on_order_saved)", "send_receipt.delay")]


@pytest.mark.parametrize(
    "call",
    [
        "task.delay()",
        "task.apply_async(countdown=5)",
        "app.send_task('shop.tasks.send_receipt')",
        "task.s(1).apply_async()",
        "transaction.on_commit(lambda: task.delay(1))",
        "transaction.on_commit(functools.partial(task.delay, 1))",
        "transaction.on_commit(task.delay)",
        "on_commit(partial(task.apply_async, [1]))",
        "task.delay_on_commit(1)",
        "task.apply_async_on_commit([1])",
    ],
)
def test_each_way_of_publishing_is_found(call: str) -> None:
    assert len(found_in(call)) == 1


@pytest.mark.parametrize(
    "text", ["plan('x', task, at=now)", "# task.delay() would hang", "'task.delay()'", "sleep(self.delay)"]
)
def test_what_only_speaks_of_it_is_not(text: str) -> None:
    assert found_in(text) == []


def test_the_innermost_function_is_named() -> None:
    source = "class View:\n    def post(self):\n        def send():\n            task.delay()\n"
    assert found_in(source) == [("shop/receivers.py:4 (send)", "task.delay")]


def check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    app: Any = SimpleNamespace(path=str(folder), name="shop", label="shop")
    monkeypatch.setattr(apps, "get_app_configs", lambda: [app])
    return [str(message.msg) for message in check_publishers()]


def test_a_module_of_an_app_of_ours_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "orders.py").write_text(PUBLISHING)
    [words] = check(tmp_path, monkeypatch)
    assert words == "shop/views/orders.py:5 (on_order_saved) publishes to the broker: send_receipt.delay(...)"


@pytest.mark.parametrize("name", ["tasks.py", "tasks/mails.py", "migrations/0002_x.py", "tests/test_x.py"])
def test_what_no_request_runs_may_publish(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / name
    module.parent.mkdir(exist_ok=True)
    module.write_text(PUBLISHING)
    assert check(tmp_path, monkeypatch) == []


def test_libraries_are_their_authors_business(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "views.py").write_text(PUBLISHING)
    monkeypatch.setattr("scheduling.checks.sysconfig.get_path", lambda name: str(tmp_path.parent))
    assert check(tmp_path, monkeypatch) == []


def test_this_project_passes_its_own_checks() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("scheduling.")] == []
