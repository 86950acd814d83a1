"""What tests are made of: plain functions, each makes one row that is valid in itself."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Permission

from orders.models import User


def make_staff(*permissions: str, email: str = "desk@shop.example", **fields: Any) -> User:
    """Make somebody who works here and has only the named permissions: "scheduling.run_task"."""
    user = User.objects.create_user(email, is_staff=True, **fields)
    user.user_permissions.set(find_permissions(permissions))
    return user


def make_superuser(email: str = "root@shop.example") -> User:
    return User.objects.create_superuser(email)


def find_permissions(names: Sequence[str]) -> list[Permission]:
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, _, codename in (name.partition(".") for name in names)
    ]
