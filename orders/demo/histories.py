"""What becomes of an order in the demo shop, from its first line to its end or to now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.conf import settings

from orders.demo.moments import working_hour
from orders.models import (
    EventKind,
    Order,
    OrderLine,
    OrderStatus,
    PaymentKind,
    PaymentMethod,
    Product,
    User,
    to_cents,
)
from orders.past_orders import PastOrder

FATES = {
    "pays": 76,
    "pays late": 9,
    "pays in part": 3,
    "pays too much": 1,
    "never pays": 6,
    "withdraws": 5,
}
"""What customers do, in per cent."""

REASONS = ("ordered twice", "the customer found it elsewhere", "wrong delivery address", "budget was cut")
DISCOUNTS = (Decimal(0), Decimal(0), Decimal(0), Decimal("0.05"), Decimal("0.10"))
HANDLING = timedelta(days=1)
RETURNS = timedelta(days=10)
"""How long after shipping an order is closed."""


@dataclass
class History:
    """An order that was placed, and until when it waited for its payment.

    Args:
        past: what is stored of it.
        placed_at: when it was placed.
        waited_until: when it was paid or cancelled; nothing if it still waits.
        unpaid: whether it was cancelled because nobody paid.
    """

    past: PastOrder
    placed_at: datetime
    waited_until: datetime | None = None
    unpaid: bool = False

    @property
    def order(self) -> Order:
        """The order."""
        return self.past.order


class Historian:
    """Makes up histories that end at a given time.

    Args:
        chance: a seeded source of chance: the same seed makes the same shop.
        now: nothing happens after it.
        customers: who orders, with their profiles.
        products: what they order.
        desk: who takes orders by telephone.
    """

    def __init__(
        self,
        chance: Random,
        *,
        now: datetime,
        customers: Sequence[User],
        products: Sequence[Product],
        desk: User,
    ) -> None:
        self.chance = chance
        self.now = now
        self.customers = customers
        self.products = [product for product in products if product.is_active]
        self.desk = desk
        self._payments = 0

    def tell(self, placed_at: datetime, fate: str = "") -> History:
        """Return the history of an order placed at a time; its fate is chance unless it is given."""
        history = History(self._place(placed_at), placed_at)
        fates = {
            "pays": self._pay,
            "pays at once": self._pay_at_once,
            "pays late": self._pay_late,
            "pays in part": self._pay_in_part,
            "pays too much": self._pay_too_much,
            "never pays": self._never_pay,
            "withdraws": self._withdraw,
        }
        fates[fate or self.chance.choices(list(FATES), list(FATES.values()))[0]](history)
        return history

    def draft(self) -> PastOrder:
        """Return an order that somebody at the desk has begun."""
        order = Order(customer=self._customer(), status=OrderStatus.DRAFT, created_by=self.desk)
        past = PastOrder(order, self._lines())
        began_at = self.now - timedelta(hours=self.chance.uniform(0.2, 60))
        past.add_event(EventKind.DRAFTED, "draft", at=began_at, by=self.desk)
        return past

    def _place(self, placed_at: datetime) -> PastOrder:
        customer = self._customer()
        by = self.desk if self.chance.random() < 0.4 else None
        order = Order(
            customer=customer,
            status=OrderStatus.PLACED,
            placed_at=placed_at,
            created_by=by,
            deliver_to=_address(customer),
        )
        past = PastOrder(order, self._lines())
        past.add_event(EventKind.PLACED, "placed", at=placed_at, by=by)
        return past

    def _customer(self) -> User:
        # A few firms order a lot: the lower of two draws.
        return self.customers[min(self.chance.randrange(len(self.customers)) for _ in range(2))]

    def _lines(self) -> list[OrderLine]:
        discount = self.chance.choice(DISCOUNTS)
        return [
            OrderLine(
                product=product,
                quantity=self.chance.choice((1, 1, 1, 2, 2, 3, 4, 5, 10)),
                discount=discount,
            )
            for product in self.chance.sample(self.products, self.chance.choice((1, 1, 2, 2, 3, 4)))
        ]

    def _pay(self, history: History) -> None:
        days = self.chance.choice((0.003, 0.02, 0.4, 1.2, 2.5, 4.0, 5.5))
        self._receive(history, history.order.total, days=days)

    def _pay_at_once(self, history: History) -> None:
        self._receive(history, history.order.total, days=0.003)

    def _pay_late(self, history: History) -> None:
        self._receive(history, history.order.total, days=self.chance.uniform(7.5, 13.5))

    def _pay_in_part(self, history: History) -> None:
        half = to_cents(history.order.total / 2)
        self._receive(history, half, days=self.chance.uniform(1, 6))
        self._receive(history, history.order.total - half, days=self.chance.uniform(9, 13))

    def _pay_too_much(self, history: History) -> None:
        self._receive(history, history.order.total + 10, days=self.chance.uniform(1, 6))

    def _never_pay(self, history: History) -> None:
        patience = settings.ORDERS_PAYMENT_TERMS_DAYS + settings.ORDERS_CANCEL_DAYS_AFTER_DUE
        at = history.placed_at + timedelta(days=patience)
        if at < self.now:
            # The run that cancels it writes that into the timeline.
            history.unpaid, history.waited_until = True, at
            history.order.status = OrderStatus.CANCELLED

    def _withdraw(self, history: History) -> None:
        at = history.placed_at + timedelta(hours=self.chance.uniform(0.5, 30))
        if at < self.now:
            history.waited_until = at
            history.order.status = OrderStatus.CANCELLED
            words = f"cancelled: {self.chance.choice(REASONS)}"
            history.past.add_event(EventKind.CANCELLED, words, at=at, by=self.desk)

    def _receive(self, history: History, amount: Decimal, *, days: float) -> None:
        at = history.placed_at + timedelta(days=days)
        if at > self.now:
            return
        self._payments += 1
        method = PaymentMethod.CARD if days < 0.1 else PaymentMethod.TRANSFER
        reference = f"{method.value.upper()}-{40_000 + self._payments}"
        payment = history.past.add_payment(amount, at=at, reference=reference, method=method)
        history.past.add_event(EventKind.PAYMENT, str(payment), at=at)
        if history.past.settled_at:
            history.waited_until = at
            history.order.status = OrderStatus.PAID
            history.past.add_event(EventKind.PAID, "paid in full", at=at)
            self._ship(history, paid_at=at)

    def _ship(self, history: History, *, paid_at: datetime) -> None:
        at = working_hour(self.chance, paid_at + HANDLING * self.chance.choice((1, 1, 2, 3)))
        if at > self.now:
            return
        history.order.status, history.order.shipped_at = OrderStatus.SHIPPED, at
        history.past.add_event(EventKind.SHIPPED, "shipped", at=at, by=self.desk)
        closed_at = working_hour(self.chance, at + RETURNS)
        if closed_at > self.now:
            return
        if self.chance.random() < 0.04:
            self._refund(history, at=closed_at)
        else:
            history.order.status = OrderStatus.COMPLETED
            history.past.add_event(EventKind.COMPLETED, "completed", at=closed_at, by=self.desk)

    def _refund(self, history: History, *, at: datetime) -> None:
        payment = history.past.add_payment(
            history.past.payments[0].amount,
            at=at,
            reference=f"REFUND-{self._payments}",
            kind=PaymentKind.REFUNDED,
            note="sent back",
        )
        history.order.status = OrderStatus.REFUNDED
        history.past.add_event(EventKind.PAYMENT, str(payment), at=at, by=self.desk)
        history.past.add_event(EventKind.REFUNDED, "refunded in full", at=at)


def _address(customer: User) -> str:
    profile = customer.profile
    return f"{profile.company}\n{profile.street}\n{profile.postal_code} {profile.city}\n{profile.country}"
