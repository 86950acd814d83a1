"""The scheduling app."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Registers what must be there before the first request or task."""

    name = "scheduling"
    verbose_name = "Scheduled work"
