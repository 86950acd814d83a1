"""The arguments of a task as the fields of a form, by their types."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any

from celery.app.task import Task
from django import forms
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from scheduling.admin.dialogs import LocalMomentField
from scheduling.admin.fields import ChoiceOf, LinesField
from scheduling.arguments import Argument, arguments_of

PREFIX = "argument"


class ArgumentForm(forms.Form):
    """Asks for the arguments of one task."""

    def __init__(self, task: Task, data: Any = None, *, kwargs: Mapping[str, Any] | None = None) -> None:
        """Take the task, what was typed, and the arguments it has so far as JSON holds them."""
        self.arguments = arguments_of(task)
        secret = {name for name, one in self.arguments.items() if one.secret}
        self._kept = {name: value for name, value in (kwargs or {}).items() if name in secret}
        super().__init__(data, prefix=PREFIX, initial=self._typed(kwargs or {}))
        for argument in self.arguments.values():
            field = field_of(argument, task)
            self.fields[argument.name] = self._hidden(argument, field) if argument.secret else field

    def _hidden(self, argument: Argument, field: forms.Field) -> forms.Field:
        """Have a field show nothing of what it holds, on a page that others see too."""
        field.widget = UnfoldAdminPasswordWidget()
        if argument.name in self._kept:
            field.required, field.help_text = False, "Hidden. Left empty, it stays as it is."
        field.widget.is_required = field.required
        return field

    def _typed(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the fields start with: what is known, and else the task's own defaults."""
        defaults = {name: one.default for name, one in self.arguments.items() if not one.required}
        return defaults | {
            name: self.arguments[name].revive(value)
            for name, value in kwargs.items()
            if name in self.arguments and name not in self._kept
        }

    @property
    def kwargs(self) -> dict[str, Any]:
        """Return the arguments as JSON can hold them; what was left empty is left to the task."""
        return self._kept | {
            name: to_json(value)
            for name, value in self.cleaned_data.items()
            if self.fields[name].required or value not in (None, "", [])
        }


def field_of(argument: Argument, task: Task) -> forms.Field:
    """Return the form field that asks for one argument."""
    options: dict[str, Any] = {
        "label": argument.words,
        "help_text": argument.help_text,
        "required": argument.required,
    }
    if argument.many:
        one = _FIELDS[argument.kind](required=True, validators=argument.validators)
        help_text = argument.help_text or "One on each line."
        return LinesField(one=one, **options | {"help_text": help_text})
    if argument.choices:
        return _choice_field(argument, options)
    if argument.model:
        return LookupField(argument, task, **options)
    if argument.kind is bool:
        # An unticked box is an answer too.
        return forms.BooleanField(**options | {"required": False}, widget=UnfoldBooleanWidget())
    return _FIELDS[argument.kind](validators=argument.validators, **options)


def _choice_field(argument: Argument, options: dict[str, Any]) -> forms.Field:
    values = {str(value): value for value, _ in argument.choices}
    empty = [] if argument.required else [("", "—")]
    return ChoiceOf(choices=[*empty, *argument.choices], coerce=values.__getitem__, **options)


class LookupField(forms.IntegerField):
    """The primary key of a row: typed, or chosen from what a search finds while typing."""

    def __init__(self, argument: Argument, task: Task, **options: Any) -> None:
        self.model = apps.get_model(argument.model)
        self.datalist = f"found-{argument.name}"
        attrs = {
            "list": self.datalist,
            "autocomplete": "off",
            "hx-get": reverse("admin:scheduling_recurringtask_lookup", args=[task.name, argument.name]),
            "hx-target": f"#{self.datalist}",
            "hx-trigger": "input changed delay:200ms, focus once",
            "placeholder": f"Search {self.model._meta.verbose_name_plural}",
        }
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs), **options)

    def clean(self, value: Any) -> int | None:
        """Return the key of a row that exists."""
        key: int | None = super().clean(str(value or "").split(" ")[0].lstrip("#"))
        if key is not None and not self.model._default_manager.filter(pk=key).exists():
            raise forms.ValidationError(f"There is no {self.model._meta.verbose_name} {key}.", code="gone")
        return key


def to_json(value: Any) -> Any:
    """Return a cleaned value as JSON can hold it."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return timezone.localtime(value).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case list():
            return [to_json(item) for item in value]
    return value


_FIELDS: dict[type, Callable[..., forms.Field]] = {
    str: partial(forms.CharField, widget=UnfoldAdminTextInputWidget),
    int: partial(forms.IntegerField, widget=UnfoldAdminIntegerFieldWidget),
    float: partial(forms.FloatField, widget=UnfoldAdminDecimalFieldWidget({"step": "any"})),
    Decimal: partial(forms.DecimalField, widget=UnfoldAdminDecimalFieldWidget({"step": "any"})),
    date: partial(forms.DateField, widget=UnfoldAdminTextInputWidget({"type": "date"})),
    datetime: LocalMomentField,
}
