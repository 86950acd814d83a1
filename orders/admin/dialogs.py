"""What the dialogs about an order share: each asks, is posted, calls one verb, and says what came of it."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm

from orders.models import Order, User
from scheduling.admin.dialogs import finish


class OrderDialog(BaseDialogForm):
    """A question about one order, and what is done when it is answered."""

    title: ClassVar[str]
    submit: ClassVar[str]
    description: ClassVar[str] = ""
    form_before_template = "orders/refused.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = Order.objects.with_payments().filter(pk=self.object_id).first()
        if order is None:
            raise Http404("There is no such order.")
        self.order: Order = order
        self.prepare()

    def prepare(self) -> None:
        """Fill in what the order says."""

    @property
    def about(self) -> str:
        """The order and whose it is."""
        return f"{self.order} {self.order.customer}"

    def do(self, by: User) -> str:
        """Call the verb.

        Returns:
            What was done, in words that follow the order's number.

        Raises:
            ValidationError: it cannot be done; nothing was.
        """
        raise NotImplementedError

    @property
    def entered(self) -> dict[str, Any]:
        """What was typed in, without the hidden field that tells it was sent."""
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith("_")}

    @classmethod
    def dialog(cls) -> ActionDialog:
        """Return what Unfold shows it by."""
        return {
            "title": cls.title,
            "description": cls.description,
            "form_class": cls,
            "form_submit_text": cls.submit,
        }

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        """Show why it was refused: Unfold shows the errors of fields only."""
        return {"errors": self.non_field_errors()}


def show(request: HttpRequest, form: OrderDialog) -> HttpResponse:
    """Return the dialog as it stands."""
    context = {"dialog": form.dialog(), "form": form, "form_submit_text": form.submit}
    return render(request, "unfold/helpers/dialog.html", context)


def answer(request: HttpRequest, form: OrderDialog, *, log: Any) -> HttpResponse:
    """Do what a valid dialog asks for, in one transaction; refused, nothing is left and the dialog says why.

    Args:
        request: the dialog's POST.
        form: its form.
        log: the admin's `log_change`.
    """
    try:
        with transaction.atomic():
            words = form.do(request.user)  # type: ignore[arg-type]
            log(request, form.order, words)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return show(request, form)
    address = reverse("admin:orders_order_change", args=[form.order.pk])
    return finish(request, words=f"{form.order}: {words}.", url=address)
