"""The order desk's screens, one module each."""

from orders.admin import customers, orders, payments, products, staff

__all__ = ["customers", "orders", "payments", "products", "staff"]
