"""The arguments of a run as its page shows them: by the words of the task's signature."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from celery.app.task import Task
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django_celery_results.models import TaskResult

from scheduling.arguments import Argument, arguments_of, names_by_place
from scheduling.models import Run
from scheduling.runs import shown_arguments

_NONE = ("[]", "()", "{}")


@dataclass(frozen=True)
class ShownArgument:
    """One argument.

    Args:
        url: the page of the row that it names, if it names one.
    """

    words: str
    value: str
    url: str = ""


def shown_arguments_of(result: TaskResult, run: Run | None, task: Task | None) -> Iterator[ShownArgument]:
    """Yield the arguments of a run, secret ones hidden.

    Args:
        task: nothing if the code has no such task. Nobody knows then which arguments are secret, but
            what Celery keeps in text had them hidden when the run was written.
    """
    if run is None or task is None:
        texts = (("Positional", result.task_args), ("Named", result.task_kwargs))
        yield from (ShownArgument(words, text) for words, text in texts if text and text not in _NONE)
        return
    known = arguments_of(task)
    for name, value in shown_arguments(task, arguments_by_name(run, task)).items():
        yield _shown(name, value, known)


def arguments_by_name(run: Run, task: Task) -> dict[str, Any]:
    """Return the arguments of a run by the names of its task's signature, as far as it goes.

    Those that `*args` takes stand together under its name.
    """
    names = names_by_place(task, len(run.args))
    names += [f"argument {place + 1}" for place in range(len(names), len(run.args))]
    by_place: dict[str, list[Any]] = defaultdict(list)
    for name, value in zip(names, run.args, strict=True):
        by_place[name].append(value)
    together = {name: values if len(values) > 1 else values[0] for name, values in by_place.items()}
    return {**together, **run.kwargs}


def readable(value: Any) -> str:
    """Return a value of JSON as people read it."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case list() if all(isinstance(one, str | int | float) for one in value):
            return "\n".join(map(readable, value)) or "none"
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shown(name: str, value: Any, known: Mapping[str, Argument]) -> ShownArgument:
    argument = known.get(name)
    if argument is None:
        return ShownArgument(name.replace("_", " ").capitalize(), readable(value))
    if row := _row_of(argument, value):
        return ShownArgument(argument.words, str(row), _url_of(row))
    words = dict(argument.choices).get(value) if isinstance(value, str | int) else None
    return ShownArgument(argument.words, words or readable(value))


def _row_of(argument: Argument, value: Any) -> Model | None:
    """Return the row that an argument names, as long as there is one."""
    if not argument.model or not isinstance(value, int):
        return None
    return apps.get_model(argument.model)._default_manager.filter(pk=value).first()


def _url_of(row: Model) -> str:
    """Return the page of a row, if it has one."""
    if not admin.site.is_registered(type(row)):
        return ""
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
