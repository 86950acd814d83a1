"""The fields that the forms of scheduled work share."""

import re
from collections.abc import Callable, Iterable
from datetime import time
from typing import Any, cast

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class LinesField(forms.CharField):
    """Several values, one on each line."""

    def __init__(self, *, one: forms.Field, **options: Any) -> None:
        """Take the field of which each line holds one value."""
        self.one = one
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **options)

    def prepare_value(self, value: Any) -> Any:
        """Return the values as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[Any]:
        """Return the values; each line that is none is named."""
        lines = [line.strip() for line in str(super().clean(value) or "").splitlines()]
        return [self._clean_line(line) for line in lines if line]

    def _clean_line(self, line: str) -> Any:
        try:
            return self.one.clean(line)
        except forms.ValidationError as error:
            raise forms.ValidationError([f"{line}: {message}" for message in error.messages]) from error


class ChoiceOf(forms.TypedChoiceField):
    """One of some values in words, which keeps its type."""

    def __init__(
        self, *, choices: Iterable[tuple[Any, str]], coerce: Callable[[Any], Any] = str, **options: Any
    ) -> None:
        options.setdefault("widget", UnfoldAdminSelectWidget())
        super().__init__(choices=choices, coerce=coerce, empty_value=None, **options)


class TimesField(forms.CharField):
    """Times of day: "09:00, 17:00"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "09:00, 17:00"}), **options)

    def prepare_value(self, value: Any) -> Any:
        """Return the times as people write them."""
        return ", ".join(f"{at:%H:%M}" for at in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[time]:
        """Return the times in order.

        They share their minutes, since one crontab names hours and minutes apart.
        """
        times = sorted({_read_time(text) for text in re.split(r"[\s,;]+", str(super().clean(value))) if text})
        if len({at.hour for at in times}) * len({at.minute for at in times}) != len(times):
            raise forms.ValidationError(
                "Times of one schedule have the same minutes, such as 09:30 and 17:30. "
                "Make a second schedule for the others.",
                code="uneven",
            )
        return times


def _read_time(text: str) -> time:
    # "9" and "9:30" are what people type.
    match = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?", text)
    try:
        return time(int(match[1]), int(match[2] or 0)) if match else time.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError(
            f"{text} is not a time of day. Write 09:00, or 09:00, 17:00.", code="time"
        ) from None


def offer(form: forms.Form, name: str, choices: Iterable[tuple[Any, str]]) -> None:
    """Give a field of a form the choices that are known only now."""
    cast(forms.ChoiceField, form.fields[name]).choices = list(choices)
