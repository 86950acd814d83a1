"""`manage.py seed_demo`."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from orders.models import Order, Product, User
from tests.factories import make_order

pytestmark = pytest.mark.django_db


def run() -> str:
    out = io.StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def test_settings_that_do_not_allow_it_are_refused() -> None:
    with pytest.raises(CommandError, match="passwords are published"):
        run()
    assert not User.objects.exists()


@override_settings(ORDERS_DEMO=True)
def test_logins_are_printed() -> None:
    words = run()

    assert "The demo shop is open." in words
    assert "admin@backoffice.example" in words


@override_settings(ORDERS_DEMO=True)
def test_shop_with_orders_is_left_as_it_is() -> None:
    make_order("10.00")
    words = run()

    assert words == "There are orders already: no demo shop is added.\n"
    assert Order.objects.count() == 1
    assert not Product.objects.exists()
