"""Alert rules: what staff want to be told of, and how."""

from datetime import timedelta
from typing import Any

from celery import current_app
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from scheduling.catalogue import all_tasks, words_of
from scheduling.models import AlertRule
from scheduling.telling import addresses_of
from scheduling.templatetags.moments import ago, duration


class AlertRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Asks for a rule, its task by its words."""

    task_name = forms.ChoiceField(label="Task", required=False, widget=UnfoldAdminSelectWidget)
    emails = forms.CharField(
        label="E-mail to",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Addresses, separated by commas. Empty: it is shown on the screens alone.",
    )

    class Meta:
        model = AlertRule
        fields = (
            "name",
            "enabled",
            "kind",
            "task_name",
            "queue",
            "threshold",
            "window_minutes",
            "emails",
            "webhook_url",
            "pause_minutes",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tasks = [(name, words_of(name)) for name in all_tasks() if not name.startswith("celery.")]
        choices = [("", "Any task"), *sorted(tasks, key=lambda choice: choice[1])]
        self.fields["task_name"].choices = choices  # type: ignore[attr-defined]

    def clean_emails(self) -> str:
        """Refuse what is no address, by name."""
        addresses = addresses_of(self.cleaned_data["emails"])
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"{address} is not an e-mail address.", code="invalid") from None
        return ", ".join(addresses)


@admin.register(AlertRule)
class AlertRuleAdmin(ModelAdmin):
    """Rules are few: a plain list and a plain form."""

    form = AlertRuleForm
    list_display = ("name", "watches", "told", "state", "enabled")
    list_per_page = 100
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", "enabled", "kind", "task_name", "queue", "threshold", "window_minutes")}),
        ("Whom to tell", {"fields": ("emails", "webhook_url", "pause_minutes")}),
    )
    conditional_fields = {
        "task_name": "kind == 'failures'",
        "window_minutes": "kind == 'failures'",
        "queue": "kind == 'nobody' || kind == 'backlog'",
        "threshold": "kind != 'nobody'",
    }

    class Media:
        css = {"all": ("scheduling/viewer.css",)}

    @admin.display(description="Watches for")
    def watches(self, rule: AlertRule) -> str:
        """Return the rule in words."""
        match AlertRule.Kind(rule.kind):
            case AlertRule.Kind.FAILURES:
                task = words_of(rule.task_name) if rule.task_name else "Any task"
                window = duration(timedelta(minutes=rule.window_minutes))
                return f"{task} failing {rule.threshold} times within {window}"
            case AlertRule.Kind.LATE:
                return f"Anything late by {duration(rule.threshold)}"
            case AlertRule.Kind.NOBODY:
                return f"No worker alive on queue {rule.queue or current_app.conf.task_default_queue}"
            case AlertRule.Kind.BACKLOG:
                where = f"on queue {rule.queue}" if rule.queue else "in all"
                return f"More than {rule.threshold} waiting {where}"

    @admin.display(description="Tells")
    def told(self, rule: AlertRule) -> str:
        """Return who is told."""
        return ", ".join(filter(None, (rule.emails, rule.webhook_url))) or "Nobody; shown on the screens"

    @admin.display(description="Now")
    def state(self, rule: AlertRule) -> SafeString | str:
        """Return whether it fires, and what it found."""
        if not rule.firing_since:
            return "All is well"
        words = '<strong class="needs-someone">{}</strong> <span class="quiet">{}</span>'
        return format_html(words, rule.found, ago(rule.firing_since))
