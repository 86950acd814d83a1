"""Who works in the demo shop: a login for each role, and one that may do everything."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

from orders.models import User

PASSWORD = "demo"  # noqa: S105 (published on purpose; production does not even know its hasher)


@dataclass(frozen=True)
class Login:
    """A member of staff.

    Args:
        email: the name at the login.
        name: what the pages call them.
        role: the group; without one they may do everything.
    """

    email: str
    name: str
    role: str = ""


LOGINS = (
    Login("admin@backoffice.example", "Administrator"),
    Login("desk@backoffice.example", "Desk", "Order desk"),
    Login("operations@backoffice.example", "Operations", "Operations"),
    Login("viewer@backoffice.example", "Viewer", "Viewers"),
)


def hire_staff() -> dict[str, User]:
    """Store them and return them by role."""
    staff = {}
    for login in LOGINS:
        user = User.objects.create_user(
            login.email, PASSWORD, last_name=login.name, is_staff=True, is_superuser=not login.role
        )
        user.groups.set(Group.objects.filter(name=login.role))
        staff[login.role] = user
    return staff
