from typing import Any

from scheduling.admin.argument_forms import ArgumentForm
from tests.scheduling import tasks_for_tests as tasks

KNOWN = {"pin": 4711, "until": "2026-11-30", "kind": "one"}


def typed(**values: Any) -> dict[str, Any]:
    return {
        f"argument-{name}": value for name, value in {"pin": "", "until": "", "kind": "", **values}.items()
    }


def test_secret_argument_is_not_on_the_page() -> None:
    page = ArgumentForm(tasks.open_safe, kwargs=KNOWN).as_p()
    assert [value for value in ("4711", "2026-11-30") if value in page] == []
    assert page.count('type="password"') == 3


def test_secret_argument_that_was_typed_is_not_on_the_page_again() -> None:
    form = ArgumentForm(tasks.open_safe, typed(pin="4712", kind="three"))
    assert not form.is_valid()
    assert 'value="4712"' not in form.as_p()
    assert 'value="three"' not in form.as_p()


def test_secret_argument_left_empty_stays_as_it_was() -> None:
    form = ArgumentForm(tasks.open_safe, typed(pin="4712"), kwargs=KNOWN)
    assert form.is_valid()
    assert form.kwargs == {**KNOWN, "pin": 4712}


def test_secret_argument_that_was_never_given_is_asked_for() -> None:
    form = ArgumentForm(tasks.open_safe, typed(pin="4712"))
    assert set(form.errors) == {"until", "kind"}
