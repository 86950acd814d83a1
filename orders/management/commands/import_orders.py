"""`manage.py import_orders`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError

from orders.importing.master_data import import_categories, import_customers, import_products
from orders.importing.orders import OrderImport
from orders.importing.reading import Unreadable, read
from orders.importing.report import Report
from orders.importing.rows import COLUMNS


class Command(BaseCommand):
    """Import the orders of another shop."""

    help = (
        "Imports categories, products, customers and orders from the five CSV files of a folder, as "
        "docs/import.md describes them. What is here already stays as it is. Exits with 0 if all is "
        "here now, 1 if something was rejected, 2 if the files cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder."""
        parser.add_argument("directory", type=Path, help=f"holds {', '.join(COLUMNS)}")

    def handle(self, *, directory: Path, **options: Any) -> None:
        """Import, and say what became of it."""
        try:
            files = {name: read(directory / name, columns) for name, columns in COLUMNS.items()}
        except Unreadable as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        report = Report()
        categories = import_categories(files["categories.csv"], report)
        products = import_products(files["products.csv"], categories, report)
        customers = import_customers(files["customers.csv"], report)
        orders = OrderImport(customers, products, report)
        with click.progressbar(length=len(files["orders.csv"]), label="Orders", file=sys.stderr) as bar:
            for done in orders.run(files["orders.csv"], files["order-details.csv"]):
                bar.update(done)
        self._conclude(report)

    def _conclude(self, report: Report) -> None:
        for fault in report.faults:
            self.stderr.write(fault)
        self.stdout.write("\n".join(report.summary()))
        if rejected := report.rejected.total():
            raise CommandError(f"{rejected} rejected, for the reasons above.", returncode=1)
