"""`manage.py start`."""

import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from backoffice import process_group
from backoffice.embedded_broker import BrokerError


class Command(BaseCommand):
    """Bring up everything on one machine."""

    help = "Migrates, then runs web, worker and scheduler (and a broker, unless CELERY_BROKER_URL names one)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the web's port, and whether to fill the shop."""
        parser.add_argument("--port", type=int, default=8000, help="where the web listens (default: 8000)")
        parser.add_argument(
            "--demo", action="store_true", help="first fill an empty database with a demo shop"
        )

    def handle(self, *, port: int, demo: bool, **options: Any) -> None:
        """Run until Ctrl-C, or until one of the processes ends."""
        require_free(port)
        call_command("migrate", verbosity=0)
        if demo:
            call_command("seed_demo")
        # The group's processes are forks of this one and must not share its connections.
        connections.close_all()
        self.stdout.write(f"Backoffice is starting on http://localhost:{port}/   Ctrl-C stops it.")
        self.stdout.flush()
        try:
            status = process_group.run(port=port)
        except BrokerError as error:
            raise CommandError(str(error)) from error
        sys.exit(status)


def require_free(port: int) -> None:
    """Refuse a port that another program listens on.

    Raises:
        CommandError: the port is taken, or not one that may be listened on.
    """
    with socket.socket() as probe:
        # As the web server does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: make demo PORT={port + 1}"
            ) from error
