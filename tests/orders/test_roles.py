"""The groups that people here belong to."""

import pytest
from django.contrib.auth.models import Group, Permission

from orders.roles import ROLES, add_roles, permissions_of
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def labels(permissions: list[Permission]) -> set[str]:
    return {f"{one.content_type.app_label}.{one.codename}" for one in permissions}


@pytest.mark.parametrize("role", ROLES)
def test_migration_makes_the_role_with_its_permissions(role: str) -> None:
    group = Group.objects.get(name=role)

    assert labels(list(group.permissions.select_related("content_type"))) == set(ROLES[role])


def test_viewers_can_only_look() -> None:
    assert {one.codename.partition("_")[0] for one in permissions_of("Viewers")} == {"view"}


def test_nobody_but_a_superuser_can_change_users() -> None:
    user = make_staff()
    user.groups.set(Group.objects.all())

    assert not user.has_perm("orders.change_user")
    assert not user.has_perm("auth.change_group")


def test_what_a_shop_changed_about_its_groups_stays() -> None:
    group = Group.objects.get(name="Viewers")
    group.permissions.clear()

    add_roles()

    assert not group.permissions.exists()


def test_role_waits_until_all_its_permissions_are_there() -> None:
    Group.objects.all().delete()
    Permission.objects.filter(codename="run_task").delete()

    add_roles()

    assert set(Group.objects.values_list("name", flat=True)) == {"Viewers", "Order desk"}
