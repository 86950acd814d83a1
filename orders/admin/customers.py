"""Customers: who they are, what they ordered, the account they have with the shop."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import StackedInline
from unfold.decorators import display

from orders.admin.lists import GrowingListAdmin
from orders.models import Customer, Profile
from orders.templatetags.desk import money
from scheduling.templatetags.moments import ago

ENTRIES_SHOWN = 50


class CustomerLookup(AutocompleteJsonView):
    """Answers the customer field of an order with customers only.

    Its foreign key names users; their own lookup would need a permission on colleagues, and list them.
    """

    def process_request(self, request: HttpRequest) -> tuple[str, Any, Any, str]:
        """Search among customers, whatever the foreign key says."""
        term, _, source_field, to_field_name = super().process_request(request)
        return term, admin.site.get_model_admin(Customer), source_field, to_field_name


class ProfileInline(StackedInline):
    """Where to reach them."""

    model = Profile
    can_delete = False
    show_title = False
    fieldsets = (
        (
            None,
            {
                "classes": ("compact",),
                "fields": ("company", "phone", "street", "postal_code", "city", "region", "country"),
            },
        ),
    )

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Show it to whoever sees the customer."""
        return request.user.has_perm("orders.view_customer") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let whoever may change the customer change it."""
        return request.user.has_perm("orders.change_customer")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a profile is made together with its user."""
        return False


@admin.register(Customer)
class CustomerAdmin(GrowingListAdmin):
    """Those who order."""

    list_display = ("name", "company", "email", "country", "account_shown", "joined")
    list_filter = ("is_active", "profile__country")
    list_select_related = ("profile", "account")
    search_fields = ("email",)
    search_help_text = "Start of the e-mail address, last name or company"
    inlines = (ProfileInline,)
    change_form_outer_after_template = "orders/account_entries.html"
    readonly_fields = ("orders_link", "account_shown", "date_joined")
    add_fieldsets = ((None, {"classes": ("compact",), "fields": ("first_name", "last_name", "email")}),)
    fieldsets = (
        (None, {"classes": ("compact",), "fields": ("first_name", "last_name", "email")}),
        (
            "With us",
            {"classes": ("compact",), "fields": ("date_joined", "account_shown", "orders_link", "is_active")},
        ),
    )

    def get_inlines(self, request: HttpRequest, obj: Customer | None) -> Any:
        """Show the profile once its receiver has made it."""
        return self.inlines if obj else ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Show the movements of the account, which only verbs write."""
        if obj:
            context.update(account=obj.account, entries=obj.account.entries.all()[:ENTRIES_SHOWN])
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Customer]", search_term: str
    ) -> "tuple[QuerySet[Customer], bool]":
        """Search by the start of what people know, which an index can answer."""
        return queryset.filter(matches(search_term)) if search_term else queryset, False

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """Make new customers such that nobody can log in as them."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Refuse: their orders and entries would lose their owner; make them inactive."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the lookup."""
        view = self.admin_site.admin_view(CustomerLookup.as_view(admin_site=self.admin_site))
        return [path("lookup/", view, name="orders_customer_lookup"), *super().get_urls()]

    @display(description="Name", ordering="last_name")
    def name(self, customer: Customer) -> str:
        """Show the name, or whatever stands for it."""
        return str(customer)

    @display(description="Company")
    def company(self, customer: Customer) -> str:
        """Show the company."""
        return customer.profile.company or "–"

    @display(description="Country")
    def country(self, customer: Customer) -> str:
        """Show the country."""
        return customer.profile.country or "–"

    @display(description="Joined", ordering="date_joined")
    def joined(self, customer: Customer) -> SafeString | str:
        """Show how long they have been here."""
        return ago(customer.date_joined)

    @display(description="Account", formatting="price", wrapper_class="number")
    def account_shown(self, customer: Customer) -> SafeString:
        """Show the balance."""
        return money(customer.account.balance, customer.account.currency)

    @display(description="Orders")
    def orders_link(self, customer: Customer) -> SafeString:
        """Link to their orders."""
        address = reverse("admin:orders_order_changelist", query={"customer__id__exact": customer.pk})
        return format_html('<a class="desk-link" href="{}">their orders</a>', address)


def matches(term: str) -> Q:
    """Return the condition for customers whose e-mail address, last name or company starts so."""
    return (
        Q(email__startswith=term.lower())
        | Q(last_name__istartswith=term)
        | Q(first_name__istartswith=term)
        | Q(profile__company__istartswith=term)
    )
