"""Customers' accounts: every movement is an entry, and the balance is their sum."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from orders.models import Account, AccountEntry, Payment


@transaction.atomic
def move(account: Account, *, amount: Decimal, words: str, payment: Payment | None = None) -> AccountEntry:
    """Move an amount onto an account, or from it.

    Args:
        account: whose.
        amount: positive in the customer's favour, in the account's currency.
        words: what it is for.
        payment: the payment it is the other side of.

    Raises:
        ValidationError: the account does not hold that much.
    """
    account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    account.balance += amount
    if account.balance < 0:
        raise ValidationError(f"The account holds {account.balance - amount} {account.currency} only.")
    account.save(update_fields=["balance"])
    return AccountEntry.objects.create(account=account, amount=amount, words=words, payment=payment)
