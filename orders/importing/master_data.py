"""Taking over what orders refer to: categories, products and customers.

What is here already stays as it is: since it was first imported, it is the shop's own to change.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.db.models import Manager, Model

from orders.importing import rows
from orders.importing.reading import Broken, Row
from orders.importing.report import Report
from orders.models import Category, Product, User
from orders.people import store_customers


def import_categories(lines: Sequence[Row], report: Report) -> dict[str, Category]:
    """Return the categories by their id in the file, the new ones stored."""
    read = _read("categories", "categoryID", lines, rows.to_category, report)
    return _store("categories", Category.objects, "name", read, report)


def import_products(
    lines: Sequence[Row], categories: Mapping[str, Category], report: Report
) -> dict[str, Product]:
    """Return the products by their id in the file, the new ones stored."""
    read = _read("products", "productID", lines, lambda row: rows.to_product(row, categories), report)
    return _store("products", Product.objects, "sku", read, report)


def import_customers(lines: Sequence[Row], report: Report) -> dict[str, User]:
    """Return the customers by their id in the file, the new ones stored with profile and account."""
    read = _read("customers", "customerID", lines, rows.to_customer, report)
    insert = partial(store_customers, currency=rows.CURRENCY)
    return _store("customers", User.objects, "email", read, report, insert=insert)


def _read[Record: Model](
    kind: str, id_column: str, lines: Sequence[Row], convert: Callable[[Row], Record], report: Report
) -> dict[str, Record]:
    """Return what the lines say, by id; the report gets those that cannot be taken."""
    read: dict[str, Record] = {}

    def convert_once(row: Row) -> Record:
        if row[id_column] in read:
            raise Broken(f"{id_column} {row[id_column]} is on an earlier line already")
        return convert(row)

    for row in lines:
        if record := report.attempt(convert_once, row):
            read[row[id_column]] = record
        else:
            report.rejected[kind] += 1
    return read


def _store[Record: Model](
    kind: str,
    manager: Manager[Record],
    unique: str,
    read: Mapping[str, Record],
    report: Report,
    *,
    insert: Callable[[list[Record]], object] | None = None,
) -> dict[str, Record]:
    """Store what is new by a unique field, and return for each id the stored row."""
    names = {id_: getattr(record, unique) for id_, record in read.items()}
    stored = manager.in_bulk(list(names.values()), field_name=unique)
    new = {names[id_]: record for id_, record in read.items() if names[id_] not in stored}
    (insert or manager.bulk_create)(list(new.values()))
    report.imported[kind] += len(new)
    report.unchanged[kind] += len(read) - len(new)
    stored |= new
    return {id_: stored[name] for id_, name in names.items()}
