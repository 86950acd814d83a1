"""People: what comes with a user, and who belongs to which group."""

from collections.abc import Collection, Iterable, Sequence

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from orders.models import Account, Currency, Profile, User


def add_profile_and_account(user: User) -> None:
    """Give a user a profile and an account, unless there are some."""
    Profile.objects.get_or_create(user=user)
    Account.objects.get_or_create(user=user)


@transaction.atomic
def store_customers(users: Sequence[User], *, currency: Currency) -> None:
    """Store many new users at once, each with profile and account.

    Bulk inserts send no signals: this gives users what the receiver gives one who is saved alone.

    Args:
        users: unsaved, each with its unsaved profile.
        currency: of their accounts.
    """
    User.objects.bulk_create(users)
    Profile.objects.bulk_create(user.profile for user in users)
    Account.objects.bulk_create(Account(user=user, currency=currency) for user in users)


def record_membership(changed: User | Group, pks: Collection[int] | None, *, words: str) -> None:
    """Add an entry to the history of each user whose groups changed.

    Groups are rights, and they change by more ways than the admin, whose history alone would miss
    some. The entry stands under the user it is about: who made the change is not known here.

    Args:
        changed: the user whose groups, or the group whose users, changed.
        pks: of those groups, or users; nothing if all are taken away.
        words: "added to" or "removed from".
    """
    users, groups = _sides(changed, pks)
    names = ", ".join(group.name for group in groups)
    content_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=user,
            content_type=content_type,
            object_id=str(user.pk),
            object_repr=str(user),
            action_flag=CHANGE,
            change_message=f"{words} {names}",
        )
        for user in users
        if names
    )


def _sides(changed: User | Group, pks: Collection[int] | None) -> tuple[Iterable[User], Iterable[Group]]:
    if isinstance(changed, Group):
        return changed.user_set.all() if pks is None else User.objects.filter(pk__in=pks), [changed]
    return [changed], changed.groups.all() if pks is None else Group.objects.filter(pk__in=pks)
