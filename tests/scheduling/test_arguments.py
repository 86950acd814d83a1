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


def test_what_is_not_annotated_is_left_as_it_is() -> None:
    assert revive(tasks.remember, {"anything": [1, None]}) == {"anything": [1, None]}
