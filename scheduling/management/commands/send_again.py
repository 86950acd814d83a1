"""`manage.py send_again`."""

from typing import Any

from django.core.management.base import BaseCommand

from scheduling.undelivered import send_all_again


class Command(BaseCommand):
    """Hand over at once what another broker had, or what a broker has lost."""

    help = "Sends the messages of all runs that wait in a broker again, after it was changed or emptied."

    def handle(self, **options: Any) -> None:
        """Leave them to the schedulers, and say how many they are."""
        self.stdout.write(f"{send_all_again():,} messages are sent again, as fast as the schedulers can.")
