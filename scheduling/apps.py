"""The scheduling app."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Connects the receivers once the models are there."""

    name = "scheduling"
    verbose_name = "Scheduled work"

    def ready(self) -> None:
        """Connect what listens to Celery."""
        from scheduling.receivers import connect_receivers

        connect_receivers()
