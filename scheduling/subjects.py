"""Whom work is about: apps say how a subject such as "order:123" is called and where it is shown."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass


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


def register(prefix: str, describe: Describe) -> None:
    """Have subjects that start with a prefix, such as "order", described; called when an app is ready."""
    _describers[prefix] = describe


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
