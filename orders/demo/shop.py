"""The demo shop as a whole."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from orders import accounts, past_orders
from orders.demo.alerts import add_alert_rules
from orders.demo.catalogue import stock_catalogue
from orders.demo.customers import settle_customers
from orders.demo.histories import Historian
from orders.demo.moments import order_times
from orders.demo.schedules import make_schedules
from orders.demo.staff import hire_staff
from orders.demo.work import Work
from orders.models import Order, Payment

SEED = 20

REMINDED_IN, CANCELLED_IN = timedelta(minutes=3), timedelta(minutes=6)
"""When the first follow-ups run, so that somebody who looks around sees it happen."""

MAIL_SERVER_LOST, MAIL_SERVER_BACK = timedelta(hours=5), timedelta(hours=4, minutes=35)
"""How long ago it went away, and came back."""

MOVED_AWAY = 14
"""Which customer's e-mail address takes no mail any more."""

DRAFTS = 4
CREDITS = ("50.00", "25.00", "120.00")


@transaction.atomic
def open_shop(*, now: datetime) -> None:
    """Store the demo shop: it has been open for ninety days, and does not stop now.

    Args:
        now: the same moment always makes the same shop.
    """
    chance = Random(SEED)  # noqa: S311 (it makes up a shop, not secrets)
    desk = hire_staff()["Order desk"]
    customers = settle_customers(chance, now)
    historian = Historian(chance, now=now, customers=customers, products=stock_catalogue(), desk=desk)
    occasions = [*((at, "") for at in order_times(chance, now)), *_staged(now)]
    histories = [historian.tell(at, fate) for at, fate in sorted(occasions)]
    past_orders.store([history.past for history in histories])
    past_orders.store([historian.draft() for _ in range(DRAFTS)])
    _date_records()
    for customer, amount in zip(customers, CREDITS, strict=False):
        accounts.move(customer.account, amount=Decimal(amount), words="for the delivery that came late")
    work = Work(
        chance,
        now=now,
        outage=(now - MAIL_SERVER_LOST, now - MAIL_SERVER_BACK),
        moved_away=customers[MOVED_AWAY].email,
    )
    work.add(histories)
    make_schedules(work.records, now=now, chance=chance)
    work.store()
    add_alert_rules()


def _staged(now: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield orders that show something: when each was placed, and what becomes of it."""
    due_at = now - timedelta(days=settings.ORDERS_PAYMENT_TERMS_DAYS)
    yield due_at + timedelta(days=settings.ORDERS_REMINDER_DAYS_BEFORE_DUE) + REMINDED_IN, "never pays"
    yield due_at - timedelta(days=settings.ORDERS_CANCEL_DAYS_AFTER_DUE) + CANCELLED_IN, "never pays"
    yield due_at - timedelta(days=1), "pays in part"
    yield now - timedelta(days=8), "pays too much"
    yield now - timedelta(minutes=30), "pays at once"
    for minutes in (1, 4, 7, 18, 20, 22):
        yield now - MAIL_SERVER_LOST + timedelta(minutes=minutes), "pays"


def _date_records() -> None:
    """Date what was entered back to when it would have been: inserts date it now."""
    Order.objects.filter(placed_at__isnull=False).update(created_at=F("placed_at"))
    # Past the manager, which refuses: entries are never changed once there is somebody to see them.
    QuerySet(Payment).update(recorded_at=F("received_at"))
