"""The app, with the failpoints in place."""

from django.apps import AppConfig

from tests.faults import failpoints


class EffectsConfig(AppConfig):
    name = "tests.faults.effects"

    def ready(self) -> None:
        failpoints.install()
