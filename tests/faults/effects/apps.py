"""The app, with the failpoints and a receiver that raises in place."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save

from tests.faults import failpoints

RAISING = "raise-"
"""What the reference of an order begins with at which the receiver raises."""


class EffectsConfig(AppConfig):
    name = "tests.faults.effects"

    def ready(self) -> None:
        failpoints.install()
        post_save.connect(raise_if_told, sender="orders.Order", dispatch_uid="raise_if_told")


def raise_if_told(instance: Any, **_: Any) -> None:
    """Raise after the shop's own receivers have written what belongs to the order."""
    if instance.reference.startswith(RAISING):
        raise RuntimeError(instance.reference)
