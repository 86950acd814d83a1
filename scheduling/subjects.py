"""Whom work is about: apps say how a subject such as "order:123" is called and where it is shown."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from celery.app.task import Task

from scheduling.arguments import arguments_of


@dataclass(frozen=True)
class Subject:
    """What staff see of a subject.

    Args:
        label: "#1042 Ana Trujillo".
        url: its page, or nothing.
    """

    label: str
    url: str = ""


Describe = Callable[[Collection[str]], Mapping[str, Subject]]
"""Given ids, the part after the colon, returns a subject for each that exists, in one query."""

_describers: dict[str, Describe] = {}
_prefixes: dict[str, str] = {}


def register(prefix: str, describe: Describe, *, model: str) -> None:
    """Have subjects that start with a prefix, such as "order", described; called when an app is ready.

    Args:
        model: whose rows they are: "orders.Order".
    """
    _describers[prefix] = describe
    _prefixes[model] = prefix


def of_arguments(task: Task, kwargs: Mapping[str, Any]) -> str:
    """Return whom a task is about with these arguments: the first row of a known kind among them."""
    for name, argument in arguments_of(task).items():
        if argument.model in _prefixes and kwargs.get(name) is not None:
            return f"{_prefixes[argument.model]}:{kwargs[name]}"
    return ""


def describe(subjects: Iterable[str]) -> dict[str, Subject]:
    """Return what staff see of each subject; one that nobody knows is shown as it is written.

    One call for each prefix, however many subjects there are.
    """
    ids = defaultdict(set)
    for subject in filter(None, subjects):
        prefix, _, id_ = subject.partition(":")
        ids[prefix].add(id_)
    return {
        f"{prefix}:{id_}": known.get(id_, Subject(f"{prefix}:{id_}"))
        for prefix, wanted in ids.items()
        for known in [_describers[prefix](wanted) if prefix in _describers else {}]
        for id_ in wanted
    }
