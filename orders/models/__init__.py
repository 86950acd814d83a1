"""What the shop stores, one module per noun."""

from orders.models.append_only import AppendOnlyError
from orders.models.catalogue import Category, Product
from orders.models.customers import Account, AccountEntry, Customer, Profile, User
from orders.models.events import EventKind, OrderEvent
from orders.models.lines import OrderLine
from orders.models.money import Currency, to_cents
from orders.models.orders import Order, OrderStatus
from orders.models.payments import (
    OrderPaymentDetails,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentState,
)

__all__ = [
    "Account",
    "AccountEntry",
    "AppendOnlyError",
    "Category",
    "Currency",
    "Customer",
    "EventKind",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderPaymentDetails",
    "OrderStatus",
    "Payment",
    "PaymentKind",
    "PaymentMethod",
    "PaymentState",
    "Product",
    "Profile",
    "User",
    "to_cents",
]
