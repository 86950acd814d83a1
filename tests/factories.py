"""What tests are made of: plain functions, each makes one row that is valid in itself."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission

from orders import payments
from orders.models import Order, OrderLine, Payment, PaymentMethod, Product, User

counter = itertools.count(1)


def make_staff(*permissions: str, email: str = "desk@shop.example", **fields: Any) -> User:
    """Make somebody who works here and has only the named permissions: "scheduling.run_task"."""
    user = User.objects.create_user(email, is_staff=True, **fields)
    user.user_permissions.set(find_permissions(permissions))
    return user


def make_superuser(email: str = "root@shop.example") -> User:
    return User.objects.create_superuser(email)


def find_permissions(names: Sequence[str]) -> list[Permission]:
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, _, codename in (name.partition(".") for name in names)
    ]


def make_customer(email: str = "", **fields: Any) -> User:
    """Make somebody who orders."""
    return User.objects.create_user(email or f"customer{next(counter)}@customers.example", **fields)


def make_product(price: str = "10.00", **fields: Any) -> Product:
    """Make a product that can be ordered."""
    number = next(counter)
    defaults = {"sku": f"P-{number}", "name": f"Product {number}", "price": Decimal(price)}
    return Product.objects.create(**{**defaults, **fields})


def make_order(*prices: str, customer: User | None = None, **fields: Any) -> Order:
    """Make an order, placed unless said otherwise, with a line of one piece at each price."""
    order = Order.objects.create(customer=customer or make_customer(), **fields)
    for price in prices:
        make_line(order, price)
    order.refresh_from_db()
    return order


def make_line(order: Order, price: str = "10.00", **fields: Any) -> OrderLine:
    """Make an order line, of free text unless a product is given."""
    if "product" not in fields:
        fields.setdefault("description", "Something")
    return OrderLine.objects.create(order=order, unit_price=Decimal(price), **fields)


def pay(order: Order, amount: str, *, method: PaymentMethod = PaymentMethod.TRANSFER) -> Payment:
    """Record a payment under a reference of its own."""
    return payments.receive(order, amount=Decimal(amount), reference=f"R-{next(counter)}", method=method)
