"""The roles that people have here: groups with the permissions each needs, made on the first migration."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

LOOK = (
    "orders.view_account",
    "orders.view_accountentry",
    "orders.view_category",
    "orders.view_customer",
    "orders.view_order",
    "orders.view_orderevent",
    "orders.view_orderline",
    "orders.view_orderpaymentdetails",
    "orders.view_payment",
    "orders.view_product",
    "orders.view_profile",
    "scheduling.view_attempt",
    "scheduling.view_delayedtask",
    "scheduling.view_process",
    "scheduling.view_recurrence",
    "scheduling.view_recurringtask",
    "scheduling.view_rerun",
    "scheduling.view_run",
    "django_celery_results.view_taskresult",
)

ROLES = {
    "Viewers": LOOK,
    "Order desk": (
        *LOOK,
        "orders.add_customer",
        "orders.change_customer",
        "orders.change_profile",
        "orders.add_order",
        "orders.change_order",
        "orders.cancel_order",
        "orders.plan_order",
        "orders.refund_order",
        "orders.ship_order",
        "orders.add_orderline",
        "orders.change_orderline",
        "orders.delete_orderline",
        "orders.change_orderpaymentdetails",
        "orders.add_payment",
    ),
    "Operations": (
        *LOOK,
        "scheduling.add_recurringtask",
        "scheduling.change_recurringtask",
        "scheduling.delete_recurringtask",
        "scheduling.pause_schedule",
        "scheduling.change_delayedtask",
        "scheduling.run_task",
        "scheduling.cancel_run",
        "scheduling.add_alertrule",
        "scheduling.change_alertrule",
        "scheduling.delete_alertrule",
        "scheduling.view_alertrule",
    ),
}
"""Each role's permissions at first. What a shop changes about its groups afterwards is its own."""


def add_roles() -> None:
    """Make the groups that are missing, once every permission of theirs is there."""
    known = set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    for name in ROLES.keys() - known:
        permissions = permissions_of(name)
        if len(permissions) == len(ROLES[name]):
            Group.objects.create(name=name).permissions.set(permissions)


def permissions_of(role: str) -> list[Permission]:
    """Return the permissions a role starts with."""
    named = Q()
    for label in ROLES[role]:
        app, _, codename = label.partition(".")
        named |= Q(content_type__app_label=app, codename=codename)
    return list(Permission.objects.filter(named))
