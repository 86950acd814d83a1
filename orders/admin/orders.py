"""Orders: the list, and the page of one order."""

import logging
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from orders.admin.customers import matches
from orders.admin.lists import GrowingListAdmin
from orders.admin.order_filters import PaymentFilter
from orders.admin.order_form import CustomerSelect, OrderForm, OrderLineInline
from orders.models import Customer, Order, OrderStatus, PaymentState
from orders.templatetags.desk import money
from scheduling.templatetags.moments import ago

logger = logging.getLogger(__name__)

CUSTOMERS_SEARCHED = 50
"""A search that more customers answer wants a longer word."""


@admin.register(Order)
class OrderAdmin(GrowingListAdmin):
    """What customers ordered."""

    form = OrderForm
    inlines = (OrderLineInline,)
    list_display = ("number_shown", "customer", "placed", "status_shown", "payment", "due", "total_shown")
    list_filter = (
        "status",
        PaymentFilter,
        ("placed_at", RangeDateFilter),
        "currency",
    )
    list_select_related = ("customer", "payment_details")
    ordering = ("-placed_at", "-id")
    search_fields = ("number",)
    search_help_text = "Number, or the start of the customer's e-mail address, last name or company"
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Order]":
        """Read each order with what was paid."""
        return super().get_queryset(request).with_payments()

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Order]", search_term: str
    ) -> "tuple[QuerySet[Order], bool]":
        """Find by number or by customer: first the few customers, then their orders by index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = term.removeprefix("#")
        if number.isdecimal():
            return queryset.filter(Q(number=int(number)) | Q(reference=number)), False
        customers = Customer.objects.filter(matches(term)).order_by().values_list("pk", flat=True)
        return queryset.filter(customer__in=list(customers[:CUSTOMERS_SEARCHED])), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a customer's page link to their orders."""
        return lookup == "customer__id__exact" or super().lookup_allowed(lookup, value, request)

    # -- columns

    @display(description="Order", ordering="-id")
    def number_shown(self, order: Order) -> str:
        """Show the number people say."""
        return str(order)

    @display(description="Placed", ordering="-placed_at")
    def placed(self, order: Order) -> SafeString | str:
        """Show how long ago it was placed."""
        return ago(order.placed_at)

    @display(description="Status", ordering="status")
    def status_shown(self, order: Order) -> str:
        """Show how far it has come."""
        return order.get_status_display()

    @display(description="Payment")
    def payment(self, order: Order) -> SafeString:
        """Show how it stands; what needs a person stands out."""
        return payment_words(order)

    @display(description="Due", ordering="payment_details__due_at")
    def due(self, order: Order) -> SafeString | str:
        """Show when the rest is due, while there is a rest."""
        return ago(order.payment_details.due_at) if order.owed else "–"

    @display(description="Total", ordering="total", formatting="price", wrapper_class="number")
    def total_shown(self, order: Order) -> SafeString:
        """Show the total with its currency."""
        return money(order.total, order.currency)

    # -- the form

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        """Ask when to place it only while it is not placed."""
        status = ["status"] if obj is None or obj.status == OrderStatus.DRAFT else []
        return [("customer", "currency"), *status, "deliver_to", ("reference", "note")]

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Look up the customer among customers."""
        if db_field.name == "customer":
            return db_field.formfield(widget=CustomerSelect(db_field, self.admin_site))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Order | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Order]]":
        """Carry a refusal to the form."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page, or save all of it in one transaction.

        When a receiver raises, nothing is stored, and the form comes back as it was filled in.
        """
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (PermissionDenied, Http404):
            raise
        except Exception as error:
            if request.method != "POST":
                raise
            logger.exception("An order could not be saved")
            request.refusal = refusal_words(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        """Remember who entered it."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Refuse: an order is cancelled, not forgotten."""
        return False


def payment_words(order: Order) -> SafeString:
    """Say how an order stands, in amber where a person should look."""
    state = order.payment_state
    overdue = order.payment_details.due_at and order.is_overdue(timezone.now())
    needs_you = overdue or state in (PaymentState.PARTLY_PAID, PaymentState.OVERPAID)
    words = f"{state.label}, overdue" if overdue else state.label
    return format_html('<span class="{}">{}</span>', "needs-you" if needs_you else "", words)


def refusal_words(error: Exception) -> str:
    """Say in words that nothing was saved, and why."""
    return (
        "The order was not saved, because something that belongs to every order failed: "
        f"{str(error) or type(error).__name__}. Nothing was stored; what you entered is still here. "
        "Try again, and if it fails again, tell whoever runs this site."
    )
