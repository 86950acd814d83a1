import pytest
from django.contrib.auth.models import Permission
from django.test import RequestFactory

from backoffice.navigation import sidebar
from orders.models import User

pytestmark = pytest.mark.django_db


def titles(user: User) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    return [item["title"] for group in sidebar(request) for item in group["items"]]


def test_sidebar_shows_a_superuser_every_screen() -> None:
    user = User.objects.create_superuser("root@example.com")
    assert {"Dashboard", "Orders", "Customers", "Delayed tasks", "Users", "Groups"} <= set(titles(user))


def test_sidebar_shows_nobody_what_they_may_not_see() -> None:
    user = User.objects.create_user("desk@example.com", is_staff=True)
    assert titles(user) == ["Dashboard"]


def test_sidebar_shows_what_a_permission_opens() -> None:
    user = User.objects.create_user("desk@example.com", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    assert titles(user) == ["Dashboard", "Orders"]
