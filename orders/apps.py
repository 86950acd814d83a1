"""The orders app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The shop."""

    name = "orders"
    verbose_name = "Orders"
