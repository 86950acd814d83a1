"""The sidebar: where everything is, for those who may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from backoffice import badges


@dataclass(frozen=True)
class Place:
    """A list of the admin, and how the sidebar shows it."""

    title: str
    icon: str
    model: str
    """As in "orders.order"."""
    badge: Callable[[], str] = str
    badge_variant: str = "warning"

    def may_see(self, request: HttpRequest) -> bool:
        """Tell whether there is a list that this user may see."""
        app, model = self.model.split(".")
        allowed = any(request.user.has_perm(f"{app}.{deed}_{model}") for deed in ("view", "change"))
        return allowed and admin.site.is_registered(apps.get_model(self.model))

    def item(self) -> dict[str, Any]:
        """Return what Unfold's sidebar needs."""
        address = reverse(f"admin:{self.model.replace('.', '_')}_changelist")
        badge = {"badge": words, "badge_variant": self.badge_variant} if (words := self.badge()) else {}
        return {"title": self.title, "icon": self.icon, "link": address, **badge}


DESK = (
    Place("Orders", "shopping_bag", "orders.order"),
    Place("Customers", "group", "orders.customer"),
    Place("Products", "inventory_2", "orders.product"),
    Place("Payments", "payments", "orders.payment"),
)
WORK = (
    Place("Scheduled tasks", "event_repeat", "scheduling.recurringtask"),
    Place("Delayed tasks", "schedule", "scheduling.delayedtask", badges.planned, badge_variant="default"),
    Place(
        "Task results", "checklist", "django_celery_results.taskresult", badges.failed, badge_variant="danger"
    ),
    Place("Workers and queues", "dns", "scheduling.process"),
    Place("Alert rules", "notifications", "scheduling.alertrule"),
)
ADMINISTRATION = (
    Place("Users", "badge", "orders.user"),
    Place("Groups", "lock_person", "auth.group"),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links, without those this user may not follow."""
    dashboard = {"title": "Dashboard", "icon": "space_dashboard", "link": reverse("admin:index")}
    return [
        {"title": "Desk", "items": [dashboard, *_items(DESK, request)]},
        {"title": "Work", "separator": True, "items": _items(WORK, request)},
        {"title": "Administration", "separator": True, "items": _items(ADMINISTRATION, request)},
    ]


def _items(places: tuple[Place, ...], request: HttpRequest) -> list[dict[str, Any]]:
    return [place.item() for place in places if place.may_see(request)]
