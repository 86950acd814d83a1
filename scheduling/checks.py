"""Django's system checks of the catalogue, so that a mistake in it is told at start, not on a form."""

from typing import Any

from django.core.checks import CheckMessage, Error

from scheduling.arguments import arguments_of
from scheduling.catalogue import schedulable_tasks


def check_catalogue(**options: Any) -> list[CheckMessage]:
    """Find tasks of the catalogue that have no words, or arguments that no form can ask for."""
    return [
        Error(f"{name} {fault}", hint="See scheduling.arguments.", id="scheduling.E001")
        for name in schedulable_tasks()
        for fault in _faults(name)
    ]


def _faults(name: str) -> list[str]:
    task = schedulable_tasks()[name]
    unclear = [one.name for one in arguments_of(task).values() if not one.is_supported]
    faults = [f"takes {argument}, whose type no form can ask for." for argument in unclear]
    return faults if task.words else [*faults, "has no words."]
