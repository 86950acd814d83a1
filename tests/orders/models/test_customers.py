from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from orders import accounts
from orders.models import Account, AccountEntry, AppendOnlyError, User
from tests.factories import make_customer, make_superuser

pytestmark = pytest.mark.django_db


def test_user_email_is_unique_however_it_is_capitalised() -> None:
    make_customer("ana@customers.example")
    with pytest.raises(IntegrityError):
        make_customer("Ana@Customers.example")


def test_user_email_stored_in_bulk_must_be_lower_case() -> None:
    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email="Ana@customers.example")])


def test_user_logs_in_with_an_email_however_it_is_capitalised(client: Client) -> None:
    User.objects.create_superuser("ana@shop.example", "secret")
    address = reverse("admin:login")
    response = client.post(address, {"username": "Ana@Shop.example", "password": "secret"})
    assert response.status_code == 302


def test_user_without_password_cannot_log_in(client: Client) -> None:
    make_customer("ana@customers.example")
    assert not client.login(username="ana@customers.example", password="")


def test_user_is_called_by_name_and_else_by_email() -> None:
    assert str(make_customer("a@customers.example", first_name="Ana", last_name="Trujillo")) == "Ana Trujillo"
    assert str(make_customer("b@customers.example")) == "b@customers.example"


def test_customers_are_those_who_do_not_work_here() -> None:
    customer, _ = make_customer(), make_superuser()
    assert list(User.objects.customers()) == [customer]


def test_account_balance_below_zero_is_refused_by_the_database() -> None:
    account = make_customer().account
    with pytest.raises(IntegrityError):
        Account.objects.filter(pk=account.pk).update(balance=-1)


def test_account_entry_cannot_be_changed_or_deleted() -> None:
    entry = accounts.move(make_customer().account, amount=Decimal(5), words="goodwill")
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        entry.delete()
    with pytest.raises(AppendOnlyError):
        AccountEntry.objects.update(amount=6)
    with pytest.raises(AppendOnlyError):
        AccountEntry.objects.all().delete()


def test_user_whose_account_moved_cannot_be_deleted() -> None:
    user = make_customer()
    accounts.move(user.account, amount=Decimal(5), words="goodwill")
    with pytest.raises(ProtectedError):
        user.delete()
