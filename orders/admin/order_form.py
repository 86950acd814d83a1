"""The form of an order: who, what, how much."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from orders.models import Order, OrderLine, OrderStatus
from orders.templatetags.desk import money

HUNDRED = Decimal(100)

EMPTY_MEANS = {"description": "as the product", "unit_price": "its price"}
"""What an input of a line that is left empty stands for."""


class CustomerSelect(AutocompleteSelect):
    """Looks up customers, by the view that knows nobody else."""

    url_name = "%s:orders_customer_lookup"


class PercentField(forms.DecimalField):
    """A share, typed and shown in per cent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "widget": UnfoldAdminDecimalFieldWidget})
        self.widget.attrs.update({"min": 0, "max": 100, "step": "0.01"})

    def prepare_value(self, value: Any) -> Any:
        """Show 0.15 as 15."""
        return f"{(value * HUNDRED).normalize():f}" if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        """Read 15 as 0.15."""
        percent = super().to_python(value)
        return percent if percent is None else percent / HUNDRED


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    """An order as the desk types it in. Its status moves by deeds; a new one is placed, or kept a draft."""

    refusal: str | None = None
    """Why saving it failed a moment ago: shown on the form, with what was entered."""

    class Meta:
        model = Order
        fields = ("customer", "currency", "status", "reference", "deliver_to", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status = self.fields.get("status")
        if isinstance(status, forms.ChoiceField):
            status.label = "Place it"
            status.choices = [(OrderStatus.PLACED, "now"), (OrderStatus.DRAFT, "later: keep a draft")]

    def clean(self) -> dict[str, Any]:
        """Refuse what could not be saved."""
        if self.refusal:
            raise ValidationError(self.refusal)
        return super().clean() or self.cleaned_data


class OrderLineFormSet(PaginationInlineFormSet):
    """The lines of one order."""

    def clean(self) -> None:
        """Hold each product's currency against the order's, which a new order's lines cannot see."""
        super().clean()
        for form in self.forms:
            product = getattr(form, "cleaned_data", {}).get("product")
            if product and product.currency != self.instance.currency:
                form.add_error("product", f"Its price is in {product.currency}, the order is not.")


class OrderLineInline(TabularInline):
    """The lines: a product, or words and a price."""

    model = OrderLine
    formset = OrderLineFormSet
    extra = 0
    min_num = 1
    show_title = False
    verbose_name = "line"
    autocomplete_fields = ("product",)
    fields = ("product", "description", "quantity", "unit_price", "discount", "total_shown")
    readonly_fields = ("price_shown", "discount_shown", "total_shown")
    template_after = "orders/lines_total.html"

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[str, ...]:
        """Leave out what only helps to fill in lines where they are read."""
        if self.has_add_permission(request, obj):
            return self.fields
        return ("description", "quantity", "price_shown", "discount_shown", "total_shown")

    def has_view_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Show the lines to whoever sees the order."""
        return request.user.has_perm("orders.view_order") or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Let whoever may write the order write its lines, while they can still change."""
        if obj is None:
            return request.user.has_perm("orders.add_order")
        return request.user.has_perm("orders.change_order") and obj.may_change_lines

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission

    def get_formset(self, request: HttpRequest, obj: Order | None = None, **kwargs: Any) -> Any:
        """Ask for at least one line."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Name each input, as a table's inputs have no label of their own."""
        if db_field.name == "discount":
            kwargs["form_class"] = PercentField
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is None:
            return None
        if db_field.name == "discount":
            field.label = "Discount %"
        field.help_text = ""
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            # No menu beside each product: the catalogue has a screen of its own.
            field.widget = field.widget.widget
        field.widget.attrs["aria-label"] = field.label
        if db_field.name in EMPTY_MEANS:
            field.widget.attrs["placeholder"] = EMPTY_MEANS[db_field.name]
        return field

    @display(description="Unit price")
    def price_shown(self, line: OrderLine) -> str:
        """Show the price."""
        return f"{line.unit_price:,.2f}"

    @display(description="Discount")
    def discount_shown(self, line: OrderLine) -> str:
        """Show the discount in per cent, none as a dash."""
        return f"{(line.discount * HUNDRED).normalize():f} %" if line.discount else "–"

    @display(description="Total")
    def total_shown(self, line: OrderLine) -> str:
        """Show the total the server computed."""
        return money(line.total, line.order.currency) if line.pk else "–"
