"""Every receiver of the shop, and the one function that connects them.

Each does one thing when one row is written, by one call to a verb. None saves its own sender, none
sets off another receiver, and none runs for rows that a fixture loads as they are (`raw`).
`docs/chain.md` shows them as a table.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import Group
from django.db.models import Model, ProtectedError
from django.db.models.signals import (
    ModelSignal,
    m2m_changed,
    post_delete,
    post_migrate,
    post_save,
    pre_delete,
)

from orders import follow_ups, ordering, payments, people, roles, timeline
from orders.models import (
    Customer,
    EventKind,
    Order,
    OrderLine,
    OrderPaymentDetails,
    OrderStatus,
    Payment,
    User,
)
from orders.models.orders import OPEN


def add_profile_and_account(instance: User, created: bool, raw: bool, **_: Any) -> None:
    """Give a new user a profile and an account."""
    if created and not raw:
        people.add_profile_and_account(instance)


def record_membership(instance: User | Group, action: str, pk_set: Collection[int] | None, **_: Any) -> None:
    """Write into users' histories which groups they came into or left."""
    words = {"post_add": "added to", "post_remove": "removed from", "pre_clear": "removed from"}
    if action in words:
        people.record_membership(instance, pk_set, words=words[action])


def add_payment_details(instance: Order, created: bool, raw: bool, **_: Any) -> None:
    """Give a new order its payment details."""
    if created and not raw:
        ordering.add_payment_details(instance)


def begin_timeline(instance: Order, created: bool, raw: bool, **_: Any) -> None:
    """Write the first entry of a new order's timeline."""
    if created and not raw:
        kind = EventKind.DRAFTED if instance.status == OrderStatus.DRAFT else EventKind.PLACED
        timeline.record(instance, kind, kind.label, by=instance.created_by, at=instance.placed_at)


def plan_follow_ups(
    instance: Order, created: bool, raw: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Plan what follows an order, when it is placed and not at each save of a placed one."""
    if raw or instance.status != OrderStatus.PLACED:
        return
    if created or "status" in (update_fields or ()):
        follow_ups.plan_follow_ups(instance)


def cancel_follow_ups(
    instance: Order, created: bool, raw: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Cancel what waits for the payment of an order that is not to be paid any more."""
    if raw or created or instance.status in OPEN:
        return
    if update_fields is None or "status" in update_fields:
        follow_ups.cancel_follow_ups(instance)


def move_follow_ups(instance: OrderPaymentDetails, created: bool, raw: bool, **_: Any) -> None:
    """Move what waits for the payment of an order whose terms changed."""
    if not created and not raw:
        follow_ups.move_follow_ups(instance.order)


def recompute_total(instance: OrderLine, raw: bool = False, **_: Any) -> None:
    """Bring an order's total in line with its lines, of which one was saved or deleted."""
    if not raw:
        ordering.recompute_total(instance.order_id)


def record_payment(instance: Payment, created: bool, raw: bool, **_: Any) -> None:
    """Write a payment entry into its order's timeline."""
    if created and not raw:
        timeline.record(
            instance.order, EventKind.PAYMENT, str(instance), by=instance.recorded_by, at=instance.received_at
        )


def settle_order(instance: Payment, created: bool, raw: bool, **_: Any) -> None:
    """Bring an order's status in line with its payments, and its follow-ups with its status."""
    if created and not raw:
        moved = payments.settle(instance.order, at=instance.received_at)
        if moved:
            follow_ups.follow(moved)


def keep_what_left_traces(instance: Order, **_: Any) -> None:
    """Refuse to delete an order that was paid for or has left the house: it is cancelled or refunded."""
    if not instance.may_be_deleted:
        raise ProtectedError(f"{instance} was paid for or shipped, and is kept.", {instance})


def drop_follow_ups(instance: Order, **_: Any) -> None:
    """Cancel everything planned for an order that is deleted."""
    follow_ups.drop_follow_ups(instance)


def add_roles(apps: Apps = installed, **_: Any) -> None:
    """Make the groups that people here need, after the first migration."""
    with suppress(LookupError):
        # Nothing yet, while a migration of some apps alone leaves groups without a table.
        apps.get_model("auth", "Group")
        roles.add_roles()


CHAIN: tuple[tuple[ModelSignal, type[Model], Callable[..., None]], ...] = (
    (post_save, User, add_profile_and_account),
    # A proxy sends the signal under its own name.
    (post_save, Customer, add_profile_and_account),
    (m2m_changed, User.groups.through, record_membership),
    (post_save, Order, add_payment_details),
    (post_save, Order, begin_timeline),
    (post_save, Order, plan_follow_ups),
    (post_save, Order, cancel_follow_ups),
    (post_save, OrderPaymentDetails, move_follow_ups),
    (post_save, OrderLine, recompute_total),
    (post_delete, OrderLine, recompute_total),
    (post_save, Payment, record_payment),
    (post_save, Payment, settle_order),
    (pre_delete, Order, keep_what_left_traces),
    (post_delete, Order, drop_follow_ups),
)
"""What answers to what, in the order in which it runs."""


def connect_receivers() -> None:
    """Connect the chain; called once, when the app is ready."""
    for signal, sender, receiver in CHAIN:
        signal.connect(receiver, sender=sender, dispatch_uid=f"orders.{receiver.__name__}")
    # The permissions of an app are there once it sends this, and `scheduling` is the last of those named.
    last = installed.get_app_config("scheduling")
    post_migrate.connect(add_roles, sender=last, dispatch_uid="orders.add_roles")
