"""What the desk does to an order: each deed a dialog, a permission of its own, and one verb."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.mixins import ActionModelAdminMixin

from orders import ordering
from orders.admin.dialogs import OrderDialog, answer
from orders.admin.order_dialogs import (
    CancelDialog,
    CompleteDialog,
    PlaceDialog,
    ReceiveDialog,
    RefundDialog,
    RemindDialog,
    ReverseDialog,
    ShipDialog,
)
from orders.models import Order, OrderStatus


class OrderDeeds(ActionModelAdminMixin):
    """The buttons on the page of an order."""

    actions_detail = (
        "place",
        "receive",
        "ship",
        "complete",
        {"title": "More", "items": ["remind", "refund", "reverse", "cancel"]},
    )

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[UnfoldAction]:
        """Offer what this user may do, and the order's state allows."""
        order = Order.objects.with_payments().filter(pk=object_id).first()
        possible = deeds_possible(order) if order else set()
        allowed = super().get_actions_detail(request, object_id)
        return [each for each in allowed if each.path in possible]

    def has_receive_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may record payments."""
        return request.user.has_perm("orders.add_payment")

    def has_remind_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may have what is planned done now."""
        return request.user.has_perm("orders.plan_order")

    def has_place_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may place drafts."""
        return request.user.has_perm("orders.change_order")

    def has_ship_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may ship and complete orders."""
        return request.user.has_perm("orders.ship_order")

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may cancel orders."""
        return request.user.has_perm("orders.cancel_order")

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether they may give money back."""
        return request.user.has_perm("orders.refund_order")

    @action(
        description="Place",
        permissions=["place"],
        dialog=PlaceDialog.dialog(),
        variant=ActionVariant.PRIMARY,
    )
    def place(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Place a draft."""
        return answer(request, form, log=self.log_change)

    @action(
        description="Record payment",
        permissions=["receive"],
        dialog=ReceiveDialog.dialog(),
        variant=ActionVariant.PRIMARY,
    )
    def receive(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Record a payment."""
        return answer(request, form, log=self.log_change)

    @action(
        description="Ship",
        permissions=["ship"],
        dialog=ShipDialog.dialog(),
        variant=ActionVariant.PRIMARY,
    )
    def ship(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Record that the goods left."""
        return answer(request, form, log=self.log_change)

    @action(
        description="Complete",
        permissions=["ship"],
        dialog=CompleteDialog.dialog(),
        variant=ActionVariant.PRIMARY,
    )
    def complete(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Close a shipped order."""
        return answer(request, form, log=self.log_change)

    @action(description="Remind", permissions=["remind"], dialog=RemindDialog.dialog())
    def remind(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Remind the customer."""
        return answer(request, form, log=self.log_change)

    @action(description="Refund", permissions=["refund"], dialog=RefundDialog.dialog())
    def refund(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Give money back."""
        return answer(request, form, log=self.log_change)

    @action(description="Reverse a payment", permissions=["refund"], dialog=ReverseDialog.dialog())
    def reverse(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Take an entry out."""
        return answer(request, form, log=self.log_change)

    @action(
        description="Cancel order",
        permissions=["cancel"],
        dialog=CancelDialog.dialog(),
        variant=ActionVariant.DANGER,
    )
    def cancel(self, request: HttpRequest, form: OrderDialog, object_id: str) -> HttpResponse:
        """Cancel it."""
        return answer(request, form, log=self.log_change)


def deeds_possible(order: Order) -> set[str]:
    """Return the deeds that an order's state allows."""
    possible = {
        "place": order.status == OrderStatus.DRAFT,
        "receive": order.owed > 0,
        "remind": order.owed > 0 and order.status == OrderStatus.PLACED,
        "ship": order.status in ordering.COMES_FROM[OrderStatus.SHIPPED] and not order.owed,
        "complete": order.status in ordering.COMES_FROM[OrderStatus.COMPLETED],
        "cancel": order.status in ordering.COMES_FROM[OrderStatus.CANCELLED],
        "refund": order.held > 0 and not order.owed,
        "reverse": order.held > 0,
    }
    return {name for name, may in possible.items() if may}
