"""The catalogue: every task in words, and which of them staff may schedule and run.

A task says so where it is defined:

    @shared_task(schedulable=True, words="Send the sales report", touches="E-mails whoever is named.")
    def send_sales_report(recipients: list[Annotated[str, validate_email]]) -> str: ...
"""

from collections.abc import Mapping
from typing import Any

from celery import current_app
from celery.app.task import Task

from scheduling.arguments import arguments_of
from scheduling.exceptions import InvalidPlan
from scheduling.runs import shown_arguments


def schedulable_tasks() -> dict[str, Task]:
    """Return the tasks that staff may schedule and run, by name, in the order of their words."""
    found = filter(is_schedulable, all_tasks())
    return {name: all_tasks()[name] for name in sorted(found, key=words_of)}


def is_schedulable(task_name: str) -> bool:
    """Whether staff may schedule and run a task."""
    return bool(getattr(all_tasks().get(task_name), "schedulable", False))


def all_tasks() -> Mapping[str, Task]:
    """Return every registered task by name."""
    tasks: Mapping[str, Task] = current_app.tasks
    return tasks


def schedulable_task(name: str) -> Task:
    """Return a task of the catalogue.

    Raises:
        InvalidPlan: staff may not schedule it.
    """
    if not is_schedulable(name):
        raise InvalidPlan(f"{name} is not among the tasks that staff may schedule")
    return all_tasks()[name]


def words_of(task_name: str | None) -> str:
    """Return what a task does, in words: its own, or else its name."""
    own = getattr(all_tasks().get(task_name or ""), "words", "")
    return own or (task_name or "unknown task").rpartition(".")[2].replace("_", " ").capitalize()


def arguments_in_words(task_name: str, kwargs: Mapping[str, Any]) -> str:
    """Return arguments as people read them: "order 12, days 3"; secret ones are hidden."""
    task = all_tasks().get(task_name)
    known = arguments_of(task) if task else {}
    shown = shown_arguments(task, dict(kwargs))
    return ", ".join(
        f"{known[name].words.lower() if name in known else name} {_spoken(value)}"
        for name, value in shown.items()
    )


def _spoken(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case list():
            return " and ".join(map(_spoken, value)) or "none"
    return str(value)
