"""What the dialogs of all screens share: every change of state is asked for in one, and posted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class LocalMomentField(forms.DateTimeField):
    """A date and a time on the reader's clock, by the browser's own picker."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "datetime-local", "step": "1"}
        options.setdefault("widget", UnfoldAdminTextInputWidget(attrs=attrs))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """Return what the browser's picker reads."""
        if isinstance(value, datetime):
            return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M:%S")
        return value


class FutureMomentField(LocalMomentField):
    """One that is still to come."""

    def clean(self, value: Any) -> datetime | None:
        """Refuse the past, but for the minute it takes to fill in a form."""
        moment: datetime | None = super().clean(value)
        if moment and moment < timezone.now() - timedelta(minutes=1):
            raise forms.ValidationError("This time has passed.", code="past")
        return moment


def row_of[Row: Model](model: type[Row], object_id: Any) -> Row | None:
    """Return the row that a dialog is about, if there is one: its address may name anything."""
    return model._default_manager.filter(pk=object_id).first() if str(object_id).isdecimal() else None


class ReasonForm(BaseDialogForm):
    """Asks why, for whoever wonders later."""

    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with what you do here, for whoever wonders later.",
    )


class Button(NamedTuple):
    """One that opens a dialog."""

    title: str
    url: str
    label: str

    @classmethod
    def render(cls, buttons: Sequence["Button"]) -> str:
        """Return them as HTML, nothing if there are none."""
        return render_to_string("scheduling/row_buttons.html", {"buttons": buttons}) if buttons else ""


def row_buttons(
    model_admin: ModelAdmin, request: HttpRequest, obj: Any, names: Sequence[str], *, about: str
) -> str:
    """Return the buttons of a row: of the named actions, those that the reader may use.

    Unfold's own row menu cannot be reached by keyboard.

    Args:
        names: the actions' paths.
        about: what the row is about, for those who hear the page.
    """
    allowed = {action.path: action for action in model_admin.get_actions_detail(request, obj.pk)}
    return Button.render(
        [
            Button(
                action.description,
                reverse(f"{model_admin.admin_site.name}:{action.action_name}", args=[obj.pk]),
                f"{action.description}: {about}",
            )
            for name in names
            if (action := allowed.get(name))
        ]
    )


def dialog(title: str, *, submit: str, form: type[BaseDialogForm], description: str = "") -> ActionDialog:
    """Return a dialog; an action without one would change state on GET."""
    return {"title": title, "description": description, "form_class": form, "form_submit_text": submit}


def finish(request: HttpRequest, *, words: str, url: str, level: int = messages.SUCCESS) -> HttpResponse:
    """Say what came of a dialog, and go to a page: by htmx, or plainly without it."""
    messages.add_message(request, level, words)
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)
