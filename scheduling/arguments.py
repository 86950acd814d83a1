"""The typed arguments of a task, read from its signature.

What staff type in a form, and what a row of the database holds, is held against the same
annotations. Supported are `str`, `int`, `bool`, `float`, `Decimal`, `date`, `datetime`, a `Literal` or
an enumeration for choices, `list` of these, `X | None` for what may be left out, and `Annotated` with

- a string: a word of help for whoever fills it in;
- `ModelKey("orders.Order")`: the primary key of a row, chosen by looking it up;
- a callable: a validator, as Django's form fields take them.
"""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, DecimalException
from enum import Enum
from functools import cache
from itertools import chain, islice, repeat
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from celery.app.task import Task
from django.core.exceptions import ValidationError

PLAIN = (str, int, bool, float, Decimal, date, datetime)


@dataclass(frozen=True)
class ModelKey:
    """Marks an argument as the primary key of a row of a model: "orders.Order"."""

    label: str


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument of a task.

    Args:
        kind: the type of its value, or of each of them if there are many.
        required: whether the task needs it.
        default: what the task takes it for when it is left out.
        choices: if not empty, the only values it can have, with their words.
        model: the model whose primary key it is, or nothing.
        secret: whether no message may tell its value.
    """

    name: str
    kind: type
    required: bool = True
    default: Any = None
    many: bool = False
    nullable: bool = False
    choices: tuple[tuple[Any, str], ...] = ()
    model: str = ""
    help_text: str = ""
    validators: tuple[Callable[[Any], Any], ...] = ()
    secret: bool = False

    @property
    def words(self) -> str:
        """Return its name in words: "order" for order_id."""
        return self.name.removesuffix("_id").replace("_", " ").capitalize()

    @property
    def is_supported(self) -> bool:
        """Whether a form can ask for it."""
        return bool(self.choices) or self.kind in PLAIN

    def revive(self, value: Any) -> Any:
        """Return what JSON holds as the task is to get it: a date for "2026-11-30".

        Raises:
            ValueError: it is no such value.
        """
        if value is None and (self.nullable or (self.default is None and not self.required)):
            return None
        if self.many:
            if not isinstance(value, list):
                raise ValueError(f"{self.name} must be a list, not {self._told(value)}")
            return [self._revive_one(item) for item in value]
        return self._revive_one(value)

    def _revive_one(self, value: Any) -> Any:
        revived = self._chosen(value) if self.choices else self._read(value)
        try:
            for validate in self.validators:
                validate(revived)
        except ValidationError as error:
            raise ValueError(f"{self.name}: {' '.join(error.messages)}") from error
        return revived

    def _chosen(self, value: Any) -> Any:
        if value not in [choice for choice, _ in self.choices]:
            raise ValueError(f"{self.name} cannot be {self._told(value)}")
        return self.kind(value) if issubclass(self.kind, Enum) else value

    def _read(self, value: Any) -> Any:
        try:
            match value:
                case str() if self.kind in (date, datetime):
                    return self.kind.fromisoformat(value)
                case str() | int() if self.kind is Decimal and not isinstance(value, bool):
                    return Decimal(value)
                case int() if self.kind is float and not isinstance(value, bool):
                    return float(value)
        except (ValueError, OverflowError, DecimalException) as error:
            raise ValueError(f"{self.name} cannot be {self._told(value)}") from (
                None if self.secret else error
            )
        if type(value) is not self.kind and self.is_supported:
            raise ValueError(f"{self.name} must be {_NOUNS[self.kind]}, not {self._told(value)}")
        return value

    def _told(self, value: Any) -> str:
        return "what was given" if self.secret else repr(value)


_NOUNS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
    Decimal: "a decimal number",
    date: "a date",
    datetime: "a date and time",
}


@cache
def signature_of(task: Task) -> inspect.Signature:
    """Return the signature of a task's body."""
    return inspect.signature(task.run)


def check_fit(task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse arguments that a task's body would not take.

    Celery's own check takes one that has a place and no name for one that has both.

    Raises:
        TypeError: one is missing, or one too many.
    """
    if task.typing:
        signature_of(task).bind(*args, **kwargs)


def names_by_place(task: Task, count: int) -> list[str]:
    """Return the parameters that take so many positional arguments: `*args` takes all the rest.

    Fewer, if the task takes fewer.
    """
    parameters = signature_of(task).parameters.values()
    named = (repeat(one.name, count if one.kind is one.VAR_POSITIONAL else 1) for one in parameters)
    return list(islice(chain.from_iterable(named), count))


@cache
def arguments_of(task: Task) -> dict[str, Argument]:
    """Return the arguments that a task takes by name, in order."""
    hints = _hints_of(task)
    secret = getattr(task, "secret_arguments", ())
    return {
        name: _argument(parameter, hints.get(name, object), secret=name in secret)
        for name, parameter in signature_of(task).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def revive(task: Task, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the task's annotations say, from what JSON holds.

    Raises:
        ValueError: one is no such value.
    """
    known = arguments_of(task)
    return {name: known[name].revive(value) if name in known else value for name, value in kwargs.items()}


def _hints_of(task: Task) -> dict[str, Any]:
    try:
        return get_type_hints(task.run, include_extras=True)
    except NameError:
        # A library's annotations may name what only type checkers import; its tasks run all the same.
        return {}


def _argument(parameter: inspect.Parameter, hint: Any, *, secret: bool) -> Argument:
    facts: dict[str, Any] = {"kind": object, "secret": secret}
    _read_hint(hint, facts)
    has_default = parameter.default is not parameter.empty
    return Argument(
        name=parameter.name,
        required=not has_default,
        default=parameter.default if has_default else None,
        **facts,
    )


def _read_hint(hint: Any, facts: dict[str, Any]) -> None:
    """Add to the facts what an annotation says, from the outside in."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        _read_hint(inner[0], facts)
        for remark in inner[1:]:
            _read_remark(remark, facts)
    elif origin in (Union, types.UnionType) and len(inner) == 2 and types.NoneType in inner:
        facts["nullable"] = True
        _read_hint(next(part for part in inner if part is not types.NoneType), facts)
    elif origin is list:
        facts["many"] = True
        _read_hint(inner[0], facts)
    elif origin is Literal:
        facts.update(kind=type(inner[0]), choices=tuple((value, _spoken(value)) for value in inner))
    elif isinstance(hint, type) and issubclass(hint, Enum):
        facts.update(kind=hint, choices=tuple((one.value, getattr(one, "label", one.name)) for one in hint))
    elif isinstance(hint, type):
        facts["kind"] = hint


def _read_remark(remark: Any, facts: dict[str, Any]) -> None:
    if isinstance(remark, str):
        facts["help_text"] = remark
    elif isinstance(remark, ModelKey):
        facts["model"] = remark.label
    elif callable(remark):
        facts["validators"] = (*facts.get("validators", ()), remark)


def _spoken(value: Any) -> str:
    return str(value).replace("_", " ")
