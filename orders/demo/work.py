"""What ran for the orders of the demo shop, what failed, and what is still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from smtplib import SMTPRecipientsRefused

from billiard.exceptions import WorkerLostError
from django.db.models import prefetch_related_objects

from orders import mails
from orders.demo.histories import History
from orders.demo.runs import Records, raised, task_id_of
from orders.follow_ups import FollowUp, plans
from orders.models import EventKind, OrderEvent
from scheduling.models import Run
from scheduling.planning import Plan, plan_many

KEPT = timedelta(days=30)
"""How old the oldest run is: older ones would be pruned in the first night."""

MAILS = {FollowUp.CONFIRMATION: mails.CONFIRMATION, FollowUp.REMINDER: mails.REMINDER}
TRIES = 6
GIVES_UP_AFTER = timedelta(minutes=16)
"""How long a task that e-mails tries."""

NO_SERVER = raised(ConnectionRefusedError(111, "Connection refused"))
KILLED = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)")


@dataclass
class Work:
    """The runs made up for stored orders.

    Args:
        chance: a seeded source of chance.
        now: what was due until then has run.
        outage: since when, and until when, the mail server could not be reached.
        moved_away: a customer whose e-mail address takes no mail any more.
    """

    chance: Random
    now: datetime
    outage: tuple[datetime, datetime]
    moved_away: str
    records: Records = field(default_factory=Records)
    _events: list[OrderEvent] = field(default_factory=list)
    _waiting: list[Plan] = field(default_factory=list)

    def add(self, histories: Sequence[History]) -> None:
        """Make up what ran for orders, and write it into their timelines."""
        prefetch_related_objects([history.order for history in histories], "lines")
        for history in histories:
            # The e-mails were written when the order was still to be paid.
            history.order.due, history.order.paid = history.order.total, Decimal(0)
            due = plans(history.order, now=history.placed_at)
            planned = ", ".join(follow_up.in_words(plan.at) for follow_up, plan in due.items())
            self._tell(history, EventKind.FOLLOW_UP, f"planned: {planned}", at=history.placed_at)
            self._follow(history, due)

    def store(self) -> None:
        """Store all of it, and plan what is still to come."""
        self.records.store()
        OrderEvent.objects.bulk_create(self._events)
        plan_many(self._waiting)

    def _follow(self, history: History, due: Mapping[FollowUp, Plan]) -> None:
        over_at = history.waited_until or self.now
        for follow_up, plan in due.items():
            self.records.planned_at[plan.key] = history.placed_at
            if plan.at > over_at and history.waited_until:
                self._call_off(history, follow_up, plan, at=over_at)
            elif plan.at > over_at:
                self._waiting.append(plan)
            elif follow_up == FollowUp.CANCELLATION:
                self._cancel(history, plan)
            else:
                self._mail(history, follow_up, plan)

    def _call_off(self, history: History, follow_up: FollowUp, plan: Plan, *, at: datetime) -> None:
        because = "the order is cancelled" if history.past.settled_at is None else "the order is paid"
        self._tell(history, EventKind.FOLLOW_UP, f"called off, as {because}: {follow_up.label}", at=at)
        if at > self.now - KEPT:
            self.records.not_run(plan, Run.NotRun.CANCELLED, because, at=at)

    def _cancel(self, history: History, plan: Plan) -> None:
        words = "cancelled: its payment did not come"
        self._tell(history, EventKind.CANCELLED, words, at=plan.at, task_id=task_id_of(plan))
        self._succeed(plan, f"cancelled {history.order}")

    def _mail(self, history: History, follow_up: FollowUp, plan: Plan) -> None:
        if error := self._failure(history, plan):
            if plan.at > self.now - KEPT:
                self.records.failed(plan, error, attempts=TRIES)
            return
        message = mails.order_mail(history.order, MAILS[follow_up])
        sent_to = f"sent to {history.order.customer.email}"
        self._tell(
            history,
            EventKind.MAIL,
            f"{message.subject}: {sent_to}",
            at=plan.at,
            task_id=task_id_of(plan),
            message_id=message.extra_headers["Message-ID"],
            body=str(message.body),
        )
        self._succeed(plan, sent_to, after=self._troubles(plan))

    def _failure(self, history: History, plan: Plan) -> BaseException | None:
        """Return what an e-mail fails with for good, if it does."""
        begins, ends = self.outage
        if begins < plan.at < ends - GIVES_UP_AFTER:
            return NO_SERVER
        email = history.order.customer.email
        if email == self.moved_away and plan.at < self.now - GIVES_UP_AFTER:
            return raised(SMTPRecipientsRefused({email: (550, b"5.1.1 No such mailbox")}))
        return None

    def _troubles(self, plan: Plan) -> tuple[BaseException, ...]:
        """Return what the attempts before the one that succeeded failed with."""
        begins, ends = self.outage
        if begins < plan.at < ends:
            return (NO_SERVER, NO_SERVER)
        killed = self.chance.random() < 0.01 and plan.at < self.now - GIVES_UP_AFTER
        return (KILLED,) if killed else ()

    def _succeed(self, plan: Plan, words: str, after: tuple[BaseException, ...] = ()) -> None:
        if plan.at > self.now - KEPT:
            self.records.succeeded(plan, words, seconds=self.chance.uniform(0.05, 0.9), after=after)

    def _tell(self, history: History, kind: EventKind, words: str, *, at: datetime, **fields: str) -> None:
        """Add to an order's timeline."""
        self._events.append(OrderEvent(order=history.order, kind=kind, words=words, at=at, **fields))
