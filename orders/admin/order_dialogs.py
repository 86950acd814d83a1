"""The dialogs for what the desk does to an order."""

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from orders import follow_ups, ordering, payments
from orders.admin.dialogs import OrderDialog
from orders.models import Payment, PaymentKind, PaymentMethod, User
from orders.models.money import CENT
from scheduling.admin.dialogs import LocalMomentField


class PlaceDialog(OrderDialog):
    """Asks whether to place a draft."""

    title = "Place this order?"
    submit = "Place it"
    description = "Its confirmation goes out, its payment becomes due, and its reminder is planned."

    def do(self, by: User) -> str:
        """Place it."""
        ordering.place(self.order, by=by)
        return "placed"


class ShipDialog(OrderDialog):
    """Asks whether the goods have left."""

    title = "Ship this order?"
    submit = "Ship it"
    description = "The goods have left the house."

    def do(self, by: User) -> str:
        """Record it."""
        ordering.ship(self.order, by=by)
        return "shipped"


class CompleteDialog(OrderDialog):
    """Asks whether nothing is left to do."""

    title = "Complete this order?"
    submit = "Complete it"
    description = "It arrived, and nothing more is to be done."

    def do(self, by: User) -> str:
        """Close it."""
        ordering.complete(self.order, by=by)
        return "completed"


class RemindDialog(OrderDialog):
    """Asks whether to remind the customer."""

    title = "Remind the customer now?"
    submit = "Send a reminder"
    description = "An e-mail with what is still to be paid goes out within a second or two."

    def do(self, by: User) -> str:
        """Have it sent."""
        follow_ups.remind(self.order, by=by)
        return "a reminder is on its way"


class CancelDialog(OrderDialog):
    """Asks why an order is cancelled."""

    title = "Cancel this order?"
    submit = "Cancel the order"
    description = "What is planned for it is called off. Money that came stays here until you refund it."

    because = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Stands in the order's timeline."
    )

    def do(self, by: User) -> str:
        """Cancel it."""
        ordering.cancel(self.order, by=by, **self.entered)
        return "cancelled"


class MoneyDialog(OrderDialog):
    """Asks for a payment entry."""

    amount = forms.DecimalField(
        min_value=CENT, max_digits=12, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget
    )
    reference = forms.CharField(
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text="The bank's or gateway's own, so that nothing is entered twice.",
    )
    method = forms.ChoiceField(choices=PaymentMethod.choices, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)

    def prepare(self) -> None:
        """Name the currency, and start with the method agreed on."""
        self.fields["amount"].label = f"Amount in {self.order.currency}"
        self.fields["method"].initial = self.order.payment_details.method


class ReceiveDialog(MoneyDialog):
    """Asks for a payment."""

    title = "Record a payment"
    submit = "Record it"
    field_order = ("amount", "reference", "method", "received_at", "note")

    received_at = LocalMomentField(label="When the money came")

    def prepare(self) -> None:
        """Start with all that is owed, come just now."""
        super().prepare()
        self.fields["amount"].initial = self.order.owed or None
        self.fields["received_at"].initial = timezone.now().replace(second=0, microsecond=0)

    def do(self, by: User) -> str:
        """Record it."""
        payment = payments.receive(self.order, by=by, **self.entered)
        return f"{payment.amount} {payment.currency} received"


class RefundDialog(MoneyDialog):
    """Asks for a refund."""

    title = "Give money back"
    submit = "Refund it"

    def prepare(self) -> None:
        """Start with all that the shop holds."""
        super().prepare()
        self.fields["amount"].initial = self.order.held

    def do(self, by: User) -> str:
        """Record it."""
        payment = payments.refund(self.order, by=by, **self.entered)
        return f"{payment.amount} {payment.currency} refunded"


class ReverseDialog(OrderDialog):
    """Asks which entry was wrong."""

    title = "Reverse a payment"
    submit = "Reverse it"
    description = "For an entry that was wrong, or that the bank took back. It stays, beside its reversal."

    payment = forms.ModelChoiceField(
        Payment.objects.filter(kind=PaymentKind.RECEIVED, reversed_by__isnull=True),
        label="Entry",
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, help_text="What was wrong.")

    def prepare(self) -> None:
        """Offer this order's entries."""
        entries = self.fields["payment"]
        entries.queryset = entries.queryset.filter(order=self.order)

    def do(self, by: User) -> str:
        """Take it out."""
        payments.reverse(by=by, **self.entered)
        return "payment reversed"
