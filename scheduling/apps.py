"""The scheduling app."""

from django.apps import AppConfig, apps
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
        from scheduling import subjects
        from scheduling.alerting import describe_rules
        from scheduling.broker_checks import check_broker, check_redis
        from scheduling.checks import check_catalogue, check_publishers
        from scheduling.receivers import connect_receivers
        from scheduling.transports import use_mended_transports

        # Above its lists too stands what staff know them by.
        apps.get_app_config("django_celery_results").verbose_name = self.verbose_name
        use_mended_transports()
        connect_receivers()
        subjects.register("alert", describe_rules, model="scheduling.AlertRule")
        autodiscover_modules("tasks")
        checks.register(check_catalogue)
        checks.register(check_publishers)
        checks.register(check_broker, checks.Tags.security)
        checks.register(check_redis, checks.Tags.database)
