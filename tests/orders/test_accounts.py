from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum

from orders import accounts
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


def test_balance_is_the_sum_of_the_entries() -> None:
    account = make_customer().account
    for amount in ("10.00", "-2.50", "0.10"):
        accounts.move(account, amount=Decimal(amount), words="a reason")
    account.refresh_from_db()
    assert account.balance == account.entries.aggregate(sum=Sum("amount"))["sum"] == Decimal("7.60")


def test_move_below_zero_is_refused_and_leaves_no_entry() -> None:
    account = make_customer().account
    with pytest.raises(ValidationError, match="only"):
        accounts.move(account, amount=Decimal("-0.01"), words="a reason")
    assert not account.entries.exists()
