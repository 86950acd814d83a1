import traceback
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scheduling.arguments import arguments_of, revive
from scheduling.exceptions import InvalidPlan
from scheduling.planning import check_arguments
from tests.scheduling import tasks_for_tests as tasks

GIVEN = {"recipients": ["a@shop.example"], "since": "2026-11-30"}


def test_arguments_are_read_from_the_signature() -> None:
    known = arguments_of(tasks.send_report)
    assert [name for name, one in known.items() if one.required] == ["recipients", "since"]
    assert known["days"].help_text == "How many days it covers."
    assert known["format"].choices == (("csv", "Comma separated"), ("xlsx", "Excel"))
    assert known["group_id"].model == "auth.Group"
    assert known["group_id"].words == "Group"


def test_revive_gives_the_task_what_its_annotations_say() -> None:
    revived = revive(tasks.send_report, {**GIVEN, "minimum": "9.50", "format": "xlsx"})
    assert revived == {
        "recipients": ["a@shop.example"],
        "since": date(2026, 11, 30),
        "minimum": Decimal("9.50"),
        "format": tasks.Format.XLSX,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipients", "a@shop.example"),
        ("recipients", ["nobody"]),
        ("since", "30.11.2026"),
        ("since", 5),
        ("days", "7"),
        ("days", True),
        ("format", "pdf"),
        ("audience", "nobody"),
        ("minimum", "much"),
        ("detailed", "yes"),
    ],
)
def test_arguments_of_another_type_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidPlan, match=name):
        check_arguments(tasks.send_report, {**GIVEN, name: value})


@pytest.mark.parametrize(("name", "value"), [("pin", "hush"), ("until", "hush"), ("kind", "hush")])
def test_a_secret_argument_is_refused_without_being_told(name: str, value: str) -> None:
    given = {"pin": 1, "until": "2026-11-30", "kind": "one", name: value}
    with pytest.raises(InvalidPlan, match=name) as refused:
        check_arguments(tasks.open_safe, given)
    assert "hush" not in "".join(traceback.format_exception(refused.value))


def test_an_annotation_that_cannot_be_found_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # As one of a library that is imported for type checkers alone.
    monkeypatch.setitem(tasks.remind_of_anything.run.__annotations__, "subject", "Nowhere")
    arguments_of.cache_clear()
    assert revive(tasks.remind_of_anything, {"subject": 1}) == {"subject": 1}
    arguments_of.cache_clear()


def test_what_is_not_annotated_is_left_as_it_is() -> None:
    assert revive(tasks.remember, {"anything": [1, None]}) == {"anything": [1, None]}
