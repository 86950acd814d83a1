"""What happens by itself once an order is placed: a confirmation, a reminder, and the end of patience."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django_celery_results.models import TaskResult

from orders import timeline
from orders.mails import REMINDER
from orders.models import EventKind, Order, OrderStatus, User
from orders.tasks import cancel_unpaid_order, send_order_confirmation, send_payment_reminder
from scheduling.cancelling import cancel
from scheduling.exceptions import AlreadyRan, NotPlanned
from scheduling.periodic_tasks import waiting_one_offs
from scheduling.planning import Plan, plan_many, postpone
from scheduling.runs import UNFINISHED

CONFIRMED_WITHIN = timedelta(days=1)
"""An order placed longer ago was imported, or waits for its payment again: its customer knows of it."""


class FollowUp(models.TextChoices):
    """A kind of work that follows an order, and how its key ends."""

    CONFIRMATION = "confirmation", "confirmation"
    REMINDER = "payment-reminder", "payment reminder"
    CANCELLATION = "cancel-unpaid", "cancellation if unpaid"

    def key(self, order: Order) -> str:
        """Return the key under which it is planned."""
        return f"order:{order.pk}/{self.value}"

    def in_words(self, at: datetime) -> str:
        """Return what follows when, as timelines have it."""
        return f"{self.label} {_date(at)}"


UNTIL_PAID = (FollowUp.REMINDER, FollowUp.CANCELLATION)
TASKS = {
    FollowUp.CONFIRMATION: send_order_confirmation,
    FollowUp.REMINDER: send_payment_reminder,
    FollowUp.CANCELLATION: cancel_unpaid_order,
}


def times(order: Order, *, now: datetime) -> dict[FollowUp, datetime]:
    """Return when each follow-up of a placed order is due.

    No reminder for a payment that is due already, and no cancellation without the full grace: an
    order can come to wait for its payment (again) long after its due date.

    Args:
        order: placed, with its payment details.
        now: the current time.
    """
    placed_at, due_at = order.placed_at, order.payment_details.due_at
    if placed_at is None or due_at is None:
        return {}
    grace = timedelta(days=settings.ORDERS_CANCEL_DAYS_AFTER_DUE)
    due = {FollowUp.CANCELLATION: due_at + grace if due_at + grace > now else now + grace}
    if due_at > now:
        due[FollowUp.REMINDER] = due_at - timedelta(days=settings.ORDERS_REMINDER_DAYS_BEFORE_DUE)
    if placed_at > now - CONFIRMED_WITHIN:
        due[FollowUp.CONFIRMATION] = now
    return dict(sorted(due.items(), key=lambda item: item[1]))


def plans(order: Order, *, now: datetime) -> dict[FollowUp, Plan]:
    """Return what follows a placed order, in the order in which it is due; see `times`."""
    return {follow_up: _plan(order, follow_up, at) for follow_up, at in times(order, now=now).items()}


def plan_follow_ups(order: Order) -> None:
    """Plan what follows a placed order. What waits or ran already is left as it is."""
    due = plans(order, now=timezone.now())
    try:
        plan_many([*due.values()])
    except AlreadyRan:
        # It waits for its payment again, and was confirmed or reminded before.
        due = {follow_up: plan for follow_up, plan in due.items() if _plan_unless_ran(plan)}
    _record(order, "planned", [follow_up.in_words(plan.at) for follow_up, plan in due.items()])


def move_follow_ups(order: Order) -> None:
    """Move what waits for an order's payment to the times that follow from its due date."""
    moved = []
    for follow_up, at in times(order, now=timezone.now()).items():
        if follow_up in UNTIL_PAID:
            # Where nothing waits, only this much is undone.
            with suppress(NotPlanned), transaction.atomic():
                postpone(follow_up.key(order), to=at)
                moved.append(follow_up.in_words(at))
    _record(order, "moved", moved)


def cancel_follow_ups(order: Order) -> None:
    """Cancel what waits for an order's payment; what has started finds out by itself."""
    because = f"the order is {order.status}"
    outcomes = cancel(*(follow_up.key(order) for follow_up in UNTIL_PAID), because=because)
    stopped = [follow_up.label for follow_up in UNTIL_PAID if outcomes[follow_up.key(order)].stopped]
    _record(order, f"called off, as {because}", stopped)


def remind(order: Order, *, by: User) -> None:
    """Have a customer reminded now: by the reminder that waits, or by one more.

    Raises:
        ValidationError: a reminder is on its way.
    """
    now = timezone.now()
    try:
        # Where nothing waits, only this much is undone.
        with transaction.atomic():
            postpone(FollowUp.REMINDER.key(order), to=now)
    except NotPlanned:
        _remind_again(order, by=by, at=now)
    timeline.record(order, EventKind.FOLLOW_UP, "reminder asked for", by=by)


def _remind_again(order: Order, *, by: User, at: datetime) -> None:
    key = FollowUp.REMINDER.key(order)
    runs = TaskResult.objects.filter(run__subject=f"order:{order.pk}", task_name=send_payment_reminder.name)
    reminder = Plan(
        key=f"{key}-{at:%Y%m%dT%H%M%S}",
        task=send_payment_reminder,
        at=at,
        kwargs={"order_id": order.pk, "number": 1 + _reminders_sent(order)},
        reason="asked for at the order desk",
        planned_by=str(by),
    )
    is_on_its_way = (
        waiting_one_offs().filter(name__startswith=key).exists()
        or runs.filter(status__in=UNFINISHED).exists()
        or not plan_many([reminder])
    )
    if is_on_its_way:
        raise ValidationError("A reminder is on its way already.")


def _reminders_sent(order: Order) -> int:
    """Return how many reminders an order's customer got, as its timeline tells."""
    return order.events.filter(message_id__contains=f".{REMINDER.name}").count()


def drop_follow_ups(order: Order) -> None:
    """Cancel everything planned for an order that is no longer there."""
    cancel(*(follow_up.key(order) for follow_up in FollowUp), because="the order was deleted")


def follow(order: Order) -> None:
    """Bring the follow-ups of an order in line with a status it came to by its payments."""
    if order.status == OrderStatus.PLACED:
        plan_follow_ups(order)
    else:
        cancel_follow_ups(order)


def _plan(order: Order, follow_up: FollowUp, at: datetime) -> Plan:
    return Plan(
        key=follow_up.key(order),
        task=TASKS[follow_up],
        at=at,
        kwargs={"order_id": order.pk},
        reason=f"{order} is to be paid by {_date(order.payment_details.due_at)}",
        planned_by=str(order.created_by or order),
    )


def _plan_unless_ran(plan: Plan) -> bool:
    with suppress(AlreadyRan):
        return plan_many([plan]) == 1
    return False


def _record(order: Order, verb: str, follow_ups: list[str]) -> None:
    if follow_ups:
        timeline.record(order, EventKind.FOLLOW_UP, f"{verb}: {', '.join(follow_ups)}")


def _date(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "j M Y")
