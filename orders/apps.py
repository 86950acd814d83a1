"""The orders app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The shop; connects its receivers once the models are there."""

    name = "orders"
    verbose_name = "Shop"

    def ready(self) -> None:
        """Connect the chain of receivers."""
        from orders.receivers import connect_receivers
        from orders.subjects import describe_orders
        from scheduling import subjects

        connect_receivers()
        subjects.register("order", describe_orders, model="orders.Order")
