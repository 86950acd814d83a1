"""Products and their categories."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from orders.models import Category, Product
from orders.templatetags.desk import money


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """What can be ordered, at which price."""

    list_display = ("name", "sku", "category", "packaging", "price_shown", "is_active")
    list_filter = ("is_active", "category", "currency")
    list_select_related = ("category",)
    list_fullwidth = True
    search_fields = ("sku__istartswith", "name__icontains")
    autocomplete_fields = ("category",)
    fieldsets = (
        (
            None,
            {
                "classes": ("compact",),
                "fields": ("sku", "name", "category", "price", "currency", "packaging", "is_active"),
            },
        ),
    )

    @display(description="Price", ordering="price", formatting="price", wrapper_class="number")
    def price_shown(self, product: Product) -> SafeString:
        """Show the price with its currency."""
        return money(product.price, product.currency)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Product]", search_term: str
    ) -> "tuple[QuerySet[Product], bool]":
        """Offer to an order only what can be ordered."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        is_lookup = request.resolver_match and request.resolver_match.url_name == "autocomplete"
        return found.filter(is_active=True) if is_lookup else found, duplicates

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Refuse: what was sold once stays known; switch off that it can be ordered."""
        return False


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """The parts of the catalogue."""

    list_display = ("name", "description")
    search_fields = ("name__istartswith",)
