"""Payments: read here; received and given back on their order's page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from orders.admin.lists import GrowingListAdmin, ReadOnly
from orders.admin.order_filters import DaysFilter
from orders.models import Payment
from orders.templatetags.desk import money
from scheduling.templatetags.moments import ago


@admin.register(Payment)
class PaymentAdmin(ReadOnly, GrowingListAdmin):
    """Every entry, newest first."""

    list_display = ("reference", "kind", "order_link", "customer", "method", "received", "amount_shown")
    list_filter = ("kind", "method", "currency", ("received_at", DaysFilter))
    list_select_related = ("order__customer",)
    ordering = ("-received_at", "-id")
    search_fields = ("reference",)
    search_help_text = "A reference as it is, or an order's number"
    fieldsets = (
        (
            None,
            {"classes": ("compact",), "fields": ("kind", "amount_shown", "method", "order_link", "customer")},
        ),
        (
            "Entry",
            {
                "classes": ("compact",),
                "fields": ("reference", "received_at", "recorded_at", "recorded_by", "reverses", "note"),
            },
        ),
    )
    readonly_fields = ("amount_shown", "order_link", "customer")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Payment]", search_term: str
    ) -> "tuple[QuerySet[Payment], bool]":
        """Find by exact reference or order number: both have an index."""
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        by_reference = queryset.filter(reference=term)
        return (
            by_reference | queryset.filter(order__number=int(term)) if term.isdecimal() else by_reference
        ), False

    @display(description="Order")
    def order_link(self, payment: Payment) -> SafeString:
        """Link to the order."""
        address = reverse("admin:orders_order_change", args=[payment.order_id])
        return format_html('<a class="desk-link" href="{}">{}</a>', address, payment.order)

    @display(description="Customer")
    def customer(self, payment: Payment) -> str:
        """Say who paid."""
        return str(payment.order.customer)

    @display(description="Money moved", ordering="-received_at")
    def received(self, payment: Payment) -> SafeString | str:
        """Say when the money moved."""
        return ago(payment.received_at)

    @display(description="Amount", formatting="price", wrapper_class="number")
    def amount_shown(self, payment: Payment) -> SafeString:
        """Show the amount with its currency."""
        return money(payment.amount, payment.currency)
