"""Orders: the list, and the page of one order."""

import logging
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Q, QuerySet, TextField
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from orders.admin.customers import matches
from orders.admin.lists import GrowingListAdmin
from orders.admin.order_deeds import OrderDeeds
from orders.admin.order_filters import DaysFilter, PaymentFilter
from orders.admin.order_form import CustomerSelect, OrderForm, OrderLineInline
from orders.admin.order_page import order_page
from orders.admin.planned import PlannedSteps
from orders.admin.steps import Step, next_steps
from orders.models import Customer, Order, User
from orders.templatetags.desk import money, payment_words
from scheduling.templatetags.moments import ago, countdown

logger = logging.getLogger(__name__)

CUSTOMERS_SEARCHED = 50
"""A search that more customers answer wants a longer word."""


@admin.register(Order)
class OrderAdmin(OrderDeeds, PlannedSteps, GrowingListAdmin):
    """What customers ordered."""

    form = OrderForm
    inlines = (OrderLineInline,)
    list_display = (
        "number_shown",
        "customer",
        "placed",
        "status_shown",
        "payment",
        "due",
        "happens_next",
        "total_shown",
    )
    list_filter = (
        "status",
        PaymentFilter,
        ("placed_at", DaysFilter),
        ("payment_details__settled_at", DaysFilter),
        "currency",
    )
    list_select_related = ("customer", "payment_details")
    ordering = ("-placed_at", "-id")
    search_fields = ("number",)
    search_help_text = "Number, or the start of the customer's e-mail address, last name or company"
    warn_unsaved_form = True
    formfield_overrides = {TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}

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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with the next step of each order it shows."""
        found = super().get_changelist_instance(request)
        orders = list(found.result_list)
        steps = next_steps(orders)
        for order in orders:
            order.next_step = steps.get(order.pk)
        found.result_list = orders
        return found

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

    @display(description="Happens next")
    def happens_next(self, order: Any) -> SafeString | str:
        """Show the next thing that is done by itself, and when."""
        step: Step | None = order.next_step
        if step is None:
            return "–"
        return format_html('{} <small class="quiet">{}</small>', step.words, countdown(step.at))

    @display(description="Total", ordering="total", formatting="price", wrapper_class="number")
    def total_shown(self, order: Order) -> SafeString:
        """Show the total with its currency."""
        return money(order.total, order.currency)

    # -- the form

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        """Ask when to place it only while it is new; the template puts the lines in between."""
        head = ("customer", "currency") if obj else ("customer", "currency", "status")
        rest = ("deliver_to", "note", "reference")
        return (
            (None, {"classes": ("compact",), "fields": (head,)}),
            ("Delivery and notes", {"classes": ("compact",), "fields": (rest,)}),
        )

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Look up the customer among customers."""
        if db_field.name == "customer":
            return db_field.formfield(
                queryset=User.objects.customers(), widget=CustomerSelect(db_field, self.admin_site)
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[str, ...]:
        """Keep who ordered and in what currency once the order is past changing."""
        return () if obj is None or obj.may_change_lines else ("customer", "currency")

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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Order | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Put what happens next, and what happened, beside the form."""
        if obj:
            context.update(order_page(obj, request), title=str(obj), subtitle=None)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        """Remember who entered it."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Refuse: an order is cancelled, not forgotten."""
        return False


def refusal_words(error: Exception) -> str:
    """Say in words that nothing was saved, and why."""
    return (
        "The order was not saved, because something that belongs to every order failed: "
        f"{str(error) or type(error).__name__}. Nothing was stored; what you entered is still here. "
        "Try again, and if it fails again, tell whoever runs this site."
    )
