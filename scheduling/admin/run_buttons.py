"""The buttons that open the dialogs of `run_actions`, for whoever may use them."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from celery import states
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django_celery_results.models import TaskResult

from scheduling.admin.run_actions import CHOSEN
from scheduling.admin.run_verbs import ACTIONS
from scheduling.catalogue import all_tasks, words_of
from scheduling.runs import WAITING


@dataclass(frozen=True)
class ActionButton:
    """One button that opens a dialog.

    Args:
        label: what it does for those who hear the page; the title if it says enough.
        include: which inputs of the page go with it.
    """

    title: str
    url: str
    label: str = ""
    include: str = ""
    danger: bool = False


TICKED = ".run-tick:checked"


def buttons_of(
    request: HttpRequest, result: TaskResult, *, names: Collection[str] = ACTIONS
) -> list[ActionButton]:
    """Return what the reader may do about one run in the state it is in.

    Args:
        names: of these actions.
    """
    token = str(uuid.uuid4())
    query = urlencode({CHOSEN: result.pk, "one": 1, "token": token})
    return [
        ActionButton(
            title,
            f"{action_address(name)}?{query}",
            f"{title}: {words_of(result.task_name)}",
            danger=name == "stop",
        )
        for name, title in _fitting(result)
        if name in names and request.user.has_perm(ACTIONS[name].permission)
    ]


def bulk_buttons(request: HttpRequest) -> list[ActionButton]:
    """Return what the reader may do about the ticked runs of a list, or all that its filter leaves."""
    parameters = request.GET.copy()
    parameters["token"] = str(uuid.uuid4())
    return [
        ActionButton(f"{title}…", f"{action_address(name)}?{parameters.urlencode()}", include=TICKED)
        for name, title in _fitting_tab(request.GET.get("state", ""))
        if request.user.has_perm(ACTIONS[name].permission)
    ]


def action_address(name: str) -> str:
    """Return the address of an action's dialog."""
    return reverse(f"admin:django_celery_results_taskresult_{name}")


def _fitting(result: TaskResult) -> Iterator[tuple[str, str]]:
    if result.status in WAITING:
        yield "cancel", "Cancel"
    elif result.status == states.STARTED:
        yield "stop", "Stop"
    else:
        yield "run-again", "Run again"
        if getattr(all_tasks().get(result.task_name), "schedulable", False):
            yield "run-edited", "Edit and run"


def _fitting_tab(tab: str) -> Iterator[tuple[str, str]]:
    if tab in ("", "waiting"):
        yield "cancel", "Cancel"
    if tab in ("", "running"):
        yield "stop", "Stop"
    if tab in ("", "failed", "cancelled", "done"):
        yield "run-again", "Run again"
        yield "delete-old", "Delete old"
