"""`manage.py seed_demo`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.demo.shop import open_shop
from orders.demo.staff import LOGINS, PASSWORD
from orders.models import Order, User


class Command(BaseCommand):
    """Fill an empty database with a shop to look around in."""

    help = "Makes up a shop with ninety days of orders, and logins whose passwords are published."

    def handle(self, **options: Any) -> None:
        """Fill the database unless it holds orders, and print the logins."""
        if not settings.ORDERS_DEMO:
            raise CommandError("The demo's passwords are published: these settings do not allow it.")
        if Order.objects.exists():
            self.stdout.write("There are orders already: no demo shop is added.")
        else:
            open_shop(now=timezone.now())
            self.stdout.write("The demo shop is open.")
        self._print_logins()

    def _print_logins(self) -> None:
        emails = set(
            User.objects.filter(email__in=[one.email for one in LOGINS]).values_list("email", flat=True)
        )
        for login in LOGINS:
            if login.email in emails:
                role = login.role or "everything"
                self.stdout.write(f"  {login.email:<32}password: {PASSWORD:<8}{role}")
