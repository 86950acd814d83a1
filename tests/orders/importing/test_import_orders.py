"""`manage.py import_orders`, on a small shop's files and on Northwind's."""

import io
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from orders import payments
from orders.models import (
    Account,
    Order,
    OrderEvent,
    OrderLine,
    OrderPaymentDetails,
    OrderStatus,
    Payment,
    Product,
    Profile,
    User,
)
from tests.northwind import northwind
from tests.orders.importing.files import KILN, line, order, write_files

pytestmark = pytest.mark.django_db

STORED = (User, Profile, Account, Product, Order, OrderLine, OrderPaymentDetails, Payment, OrderEvent)


@dataclass
class Outcome:
    """What the command answered: exit status, summary, and the faults on stderr."""

    status: int
    summary: str
    faults: str

    def counts(self, kind: str) -> list[int]:
        """Return imported, unchanged, rejected."""
        [row] = [words[1:] for words in map(str.split, self.summary.splitlines()) if words[0] == kind]
        return [int(word) for word in row]


def run(folder: Path) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("import_orders", str(folder), stdout=out, stderr=err)
    except CommandError as error:
        status = error.returncode
        err.write(str(error))
    return Outcome(status, out.getvalue(), err.getvalue())


def facts(order: Order) -> tuple[object, ...]:
    """Return what the rules of the shop decide about an order."""
    order = Order.objects.get(pk=order.pk)
    details = order.payment_details
    return (
        order.status,
        order.total,
        order.payment_state,
        (details.terms_days, details.due_at, details.amount_due, details.settled_at),
        order.lines.values_list("description", "quantity", "unit_price", "discount", "total").get(),
    )


def snapshot() -> list[list[tuple[object, ...]]]:
    return [list(model._default_manager.order_by("pk").values_list()) for model in STORED]


def test_northwind_is_imported_whole() -> None:
    outcome = run(northwind())

    assert outcome.status == 0
    assert outcome.counts("orders") == [830, 0, 0]
    assert Order.objects.filter(payment_details__due_at__isnull=False, events__isnull=False).count() == 830
    assert User.objects.filter(profile__isnull=False, account__isnull=False, is_staff=False).count() == 91
    assert Product.objects.filter(category__isnull=False).count() == 77


def test_northwind_is_delivered_and_paid_and_plans_nothing() -> None:
    run(northwind())

    assert Counter(Order.objects.values_list("status", flat=True)) == {"completed": 809, "paid": 21}
    assert not Order.objects.owed().exists()
    assert not PeriodicTask.objects.exists()


def test_northwind_totals_match_an_independent_sum() -> None:
    folder = northwind()
    cents: Counter[str] = Counter()
    for number, _, price, quantity, discount in (
        row.split(",") for row in (folder / "order-details.csv").read_text().splitlines()[1:]
    ):
        exact = Fraction(price) * int(quantity) * (1 - Fraction(discount)) * 100
        cents[f"NW-{number}"] += int(exact + Fraction(1, 2))

    run(folder)

    assert dict(Order.objects.values_list("reference", "total")) == {
        reference: Decimal(total) / 100 for reference, total in cents.items()
    }


def test_northwind_twice_changes_nothing() -> None:
    run(northwind())
    before = snapshot()

    outcome = run(northwind())

    assert (outcome.status, outcome.counts("orders")) == (0, [0, 830, 0])
    assert snapshot() == before


def test_imported_order_is_as_one_that_was_placed_and_paid_here(tmp_path: Path) -> None:
    run(write_files(tmp_path, order_details=[line(quantity="3", price="3.33", discount="0.15")]))
    imported = Order.objects.get()
    by_hand = Order.objects.create(customer=imported.customer, currency="USD", placed_at=imported.placed_at)
    OrderLine.objects.create(
        order=by_hand,
        product=Product.objects.get(),
        quantity=3,
        unit_price=Decimal("3.33"),
        discount=Decimal("0.15"),
    )
    payments.receive(by_hand, amount=Decimal("8.49"), reference="R-1", received_at=imported.placed_at)

    assert facts(imported) == facts(by_hand)


def test_statements_do_not_grow_with_the_batch(tmp_path: Path) -> None:
    def statements(numbers: range) -> int:
        write_files(tmp_path, orders=[order(n) for n in numbers], order_details=[line(n) for n in numbers])
        with CaptureQueriesContext(connection) as queries:
            assert run(tmp_path).status == 0
        return len(queries)

    run(write_files(tmp_path))
    assert statements(range(10, 11)) == statements(range(20, 100))


def test_price_of_zero_is_allowed(tmp_path: Path) -> None:
    outcome = run(write_files(tmp_path, order_details=[line(price="0")]))

    assert outcome.counts("orders") == [1, 0, 0]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(line(product=9), "order-details.csv:3: there is no product 9", id="unknown product"),
        pytest.param(line(quantity="-1"), "order-details.csv:3: quantity: ", id="negative quantity"),
        pytest.param(line(quantity="many"), "order-details.csv:3: quantity: ", id="no number"),
        pytest.param(line(price="-1"), "order-details.csv:3: unit price: ", id="negative price"),
        pytest.param(line(price="NULL"), "order-details.csv:3: it has no unitPrice", id="no price"),
        pytest.param(line(discount="1.5"), "order-details.csv:3: discount: ", id="discount above the price"),
        pytest.param("1,1,10.00,2", "order-details.csv:3: it has 4 columns, not 5", id="missing column"),
        pytest.param(
            line(price="9999999999", quantity="2"), "order-details.csv:3: total: ", id="more than fits"
        ),
    ],
)
def test_order_with_a_broken_line_is_rejected_whole(tmp_path: Path, broken: str, words: str) -> None:
    write_files(tmp_path, orders=[order(1), order(2)], order_details=[line(1), broken, line(2)])

    outcome = run(tmp_path)

    assert words in outcome.faults
    assert "orders.csv:2: order 1 is left out" in outcome.faults
    assert (outcome.status, outcome.counts("orders")) == (1, [1, 0, 1])
    assert Order.objects.get().reference == "NW-2"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(order(customer="NOONE"), "orders.csv:2: there is no customer NOONE", id="customer"),
        pytest.param(
            order(placed="1996-02-30"),
            "orders.csv:2: orderDate: '1996-02-30 00:00:00.000' is not a date with time",
            id="bad date",
        ),
        pytest.param(
            order().replace("1996-07-04 00:00:00.000", "NULL"),
            "orders.csv:2: it has no orderDate",
            id="no date",
        ),
        pytest.param(order(3), "orders.csv:2: order 3 has no lines", id="no lines"),
        pytest.param(order(2), "orders.csv:3: orderID 2 is on an earlier line", id="twice"),
    ],
)
def test_broken_order_is_rejected_and_the_others_go_on(tmp_path: Path, broken: str, words: str) -> None:
    outcome = run(write_files(tmp_path, orders=[broken, order(2)], order_details=[line(2)]))

    assert words in outcome.faults
    assert (outcome.status, outcome.counts("orders")) == (1, [1, 0, 1])
    assert Order.objects.get().reference == "NW-2"


def test_line_in_another_encoding_rejects_its_order(tmp_path: Path) -> None:
    write_files(tmp_path, orders=[order(1), order(2)], order_details=[line(1), line(2)])
    path = tmp_path / "orders.csv"
    path.write_bytes(path.read_bytes().replace(b"1,KILNS,", "1,KÜLNS,".encode("latin-1"), 1))

    outcome = run(tmp_path)

    assert "orders.csv:2: it is not UTF-8" in outcome.faults
    assert outcome.counts("orders") == [1, 0, 1]


def test_line_without_its_order_is_rejected(tmp_path: Path) -> None:
    outcome = run(write_files(tmp_path, order_details=[line(1), line(7), line(7)]))

    assert "order-details.csv:4: there is no order 7" in outcome.faults
    assert (outcome.status, outcome.counts("orders")) == (1, [1, 0, 1])


def test_broken_product_rejects_the_orders_that_need_it(tmp_path: Path) -> None:
    outcome = run(write_files(tmp_path, products=["1,White clay,1,1,10 kg bag,a lot,5,0,0,0"]))

    assert "products.csv:2: price: " in outcome.faults
    assert "order-details.csv:2: there is no product 1" in outcome.faults
    assert (outcome.counts("products"), outcome.counts("orders")) == ([0, 0, 1], [0, 0, 1])


def test_broken_customer_rejects_the_orders_of_theirs(tmp_path: Path) -> None:
    outcome = run(write_files(tmp_path, customers=[KILN.replace("KILNS", "KI LNS")]))

    assert "customers.csv:2: email: " in outcome.faults
    assert not User.objects.exists()
    assert outcome.counts("orders") == [0, 0, 1]


def test_order_with_another_content_here_is_rejected_and_stays(tmp_path: Path) -> None:
    run(write_files(tmp_path))

    outcome = run(write_files(tmp_path, order_details=[line(quantity="3")]))

    assert "orders.csv:2: it is here already as #" in outcome.faults
    assert (outcome.status, outcome.counts("orders")) == (1, [0, 0, 1])
    assert OrderLine.objects.get().quantity == 2


def test_what_staff_changed_since_stays(tmp_path: Path) -> None:
    run(write_files(tmp_path))
    Product.objects.update(price=Decimal(99))
    Order.objects.update(status=OrderStatus.SHIPPED, shipped_at="2026-01-01T00:00Z")

    outcome = run(tmp_path)

    assert (outcome.status, outcome.counts("orders")) == (0, [0, 1, 0])
    assert Product.objects.get().price == 99


@pytest.mark.parametrize("name", ["categories", "customers", "products", "orders", "order-details"])
def test_missing_file_imports_nothing(tmp_path: Path, name: str) -> None:
    (write_files(tmp_path) / f"{name}.csv").unlink()

    outcome = run(tmp_path)

    assert outcome.status == 2
    assert f"Nothing was imported. {name}.csv: No such file" in outcome.faults
    assert not Product.objects.exists()


def test_file_without_a_column_imports_nothing(tmp_path: Path) -> None:
    path = write_files(tmp_path) / "order-details.csv"
    path.write_text(path.read_text().replace("quantity", "pieces"))

    outcome = run(tmp_path)

    assert outcome.status == 2
    assert "order-details.csv:1: the column quantity is missing" in outcome.faults


def test_progress_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(write_files(tmp_path))

    assert "Orders" in capsys.readouterr().err
