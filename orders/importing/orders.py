"""Taking over orders with their lines: each one whole, or not at all."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import past_orders
from orders.importing import rows
from orders.importing.reading import Broken, Row
from orders.importing.report import Report
from orders.models import EventKind, Order, OrderLine, Product, User
from orders.past_orders import PastOrder

BATCH = 100
"""Orders in one transaction: others can write in between, and a crash loses little."""


class OrderImport:
    """An import of orders.

    Args:
        customers: by their id in the file.
        products: by their id in the file.
        report: gets what becomes of each order.
    """

    def __init__(
        self, customers: Mapping[str, User], products: Mapping[str, Product], report: Report
    ) -> None:
        self._customers = customers
        self._products = products
        self._report = report
        self._lines: dict[str, list[Row]] = defaultdict(list)
        self._seen: set[str] = set()

    def run(self, order_rows: Sequence[Row], line_rows: Sequence[Row]) -> Iterator[int]:
        """Import in batches; the number of statements does not depend on how many orders one has.

        Yields:
            How many orders each batch had.
        """
        for row in line_rows:
            self._lines[row["orderID"]].append(row)
        for batch in batched(order_rows, BATCH):
            read = [(row, past) for row in batch if (past := self._read(row))]
            self._report.rejected["orders"] += len(batch) - len(read)
            self._store(read)
            yield len(batch)
        self._reject_strays(self._lines.keys() - {row["orderID"] for row in order_rows})

    def _read(self, row: Row) -> PastOrder | None:
        """Return an order with its lines, or nothing if any of them is broken."""
        order = self._report.attempt(self._order_of, row)
        line_rows = self._lines[row["orderID"]]
        lines = [line for line_row in line_rows if (line := self._report.attempt(self._line_of, line_row))]
        if order and len(lines) == len(line_rows):
            return _paid_for(PastOrder(order, lines))
        if order:
            self._report.note_fault(row, f"order {row['orderID']} is left out, for its broken lines")
        return None

    def _order_of(self, row: Row) -> Order:
        order_id = row["orderID"]
        if order_id in self._seen:
            raise Broken(f"orderID {order_id} is on an earlier line already")
        self._seen.add(order_id)
        order = rows.to_order(row, self._customers)
        if not self._lines[order_id]:
            raise Broken(f"order {order_id} has no lines")
        return order

    def _line_of(self, row: Row) -> OrderLine:
        return rows.to_line(row, self._products)

    @transaction.atomic
    def _store(self, read: Sequence[tuple[Row, PastOrder]]) -> None:
        known = _known([past.order.reference for _, past in read])
        new = []
        for row, past in read:
            here = known.get(past.order.reference)
            if here is None:
                new.append(past)
            elif _is_same(here, past):
                self._report.unchanged["orders"] += 1
            else:
                self._report.rejected["orders"] += 1
                self._report.note_fault(
                    row, f"it is here already as {here}, with another customer, date or lines"
                )
        past_orders.store(new)
        self._report.imported["orders"] += len(new)

    def _reject_strays(self, order_ids: Collection[str]) -> None:
        """Refuse lines whose order is not in the file of orders."""
        self._report.rejected["orders"] += len(order_ids)
        for row in (row for order_id in sorted(order_ids) for row in self._lines[order_id]):
            self._report.note_fault(row, f"there is no order {row['orderID']} in orders.csv")


def _paid_for(past: PastOrder) -> PastOrder:
    """Add what the files do not say because it went without saying: the customer paid."""
    order = past.order
    paid_at = order.shipped_at or order.placed_at
    if paid_at and order.total:
        past.add_payment(order.total, at=paid_at, reference=order.reference, note="paid before the import")
    past.add_event(EventKind.NOTE, f"imported as {order.reference}, with its payment", at=timezone.now())
    return past


def _known(references: Sequence[str]) -> dict[str, Order]:
    found = Order.objects.filter(reference__in=references).prefetch_related("lines")
    return {order.reference: order for order in found}


def _is_same(here: Order, past: PastOrder) -> bool:
    """Tell whether an order is as the files have it; how far it has come since is the shop's own."""
    ours = (here.customer_id, here.placed_at, _content(here.lines.all()))
    return ours == (past.order.customer_id, past.order.placed_at, _content(past.lines))


def _content(lines: Iterable[OrderLine]) -> Counter[tuple[Any, ...]]:
    return Counter((line.product_id, line.quantity, line.unit_price, line.discount) for line in lines)
