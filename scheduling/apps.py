"""The scheduling app."""

from django.apps import AppConfig
from django.core import checks
from django.utils.module_loading import autodiscover_modules


class SchedulingConfig(AppConfig):
    """Connects the receivers once the models are there."""

    name = "scheduling"
    verbose_name = "Scheduled work"

    def ready(self) -> None:
        """Connect what listens to Celery, and know all tasks.

        Only a worker imports them by itself, but pages look them up by name too.
        """
        from scheduling.checks import check_catalogue, check_publishers
        from scheduling.receivers import connect_receivers

        connect_receivers()
        autodiscover_modules("tasks")
        checks.register(check_catalogue)
        checks.register(check_publishers)
