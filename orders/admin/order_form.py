"""The form of an order: who, what, how much."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from orders.models import Order, OrderLine, OrderStatus
from orders.templatetags.desk import money


class CustomerSelect(AutocompleteSelect):
    """Looks up customers, by the view that knows nobody else."""

    url_name = "%s:orders_customer_lookup"


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    """An order as the desk types it in: its status moves by deeds, save for a draft that is placed."""

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


class OrderLineInline(TabularInline):
    """The lines: a product, or words and a price."""

    model = OrderLine
    extra = 0
    min_num = 1
    validate_min = True
    show_title = False
    verbose_name = "line"
    autocomplete_fields = ("product",)
    fields = ("product", "description", "quantity", "unit_price", "discount", "total_shown")
    readonly_fields = ("total_shown",)

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Name each input: a table's inputs have no label of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label
        return field

    @display(description="Total")
    def total_shown(self, line: OrderLine) -> str:
        """Show the total the server computed."""
        return money(line.total, line.order.currency) if line.pk else "–"
