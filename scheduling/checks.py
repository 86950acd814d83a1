"""Django's system checks: mistakes in tasks, and in who publishes them, are told at start."""

import sysconfig
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Warning

from scheduling.arguments import arguments_of, signature_of
from scheduling.catalogue import schedulable_tasks
from scheduling.publishing_calls import find_publishing_calls

WORKERS_ONLY = {"tasks", "tests", "migrations"}
"""Modules and packages that no request runs."""


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
    parameters = signature_of(task).parameters.values()
    unnamed = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]
    faults = [f"takes {argument}, whose type no form can ask for." for argument in unclear]
    faults += [
        f"takes {argument} by its place alone, and forms give arguments by name." for argument in unnamed
    ]
    return faults if task.words else [*faults, "has no words."]


def check_publishers(**options: Any) -> list[CheckMessage]:
    """Find code of this project's own apps that publishes outside a task.

    A broker that is down fails the request that does, and one that is silent hangs it. A message that is
    sent when the transaction commits is lost if the process dies in between.
    """
    return [
        Warning(
            f"{where} publishes to the broker: {call}(...)",
            hint="Plan it: plan(key, task, at=timezone.now()) writes a row in the request's transaction.",
            id="scheduling.W001",
        )
        for app in apps.get_app_configs()
        if _is_first_party(app)
        for path in sorted(Path(app.path).rglob("*.py"))
        if not WORKERS_ONLY & {path.stem, *path.relative_to(app.path).parts}
        for where, call in find_publishing_calls(
            path.read_text(), name=f"{app.label}/{path.relative_to(app.path)}"
        )
    ]


def _is_first_party(app: AppConfig) -> bool:
    libraries = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return not any(Path(app.path).is_relative_to(folder) for folder in libraries)
