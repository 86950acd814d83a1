import pytest
from celery import shared_task

from orders import timeline
from orders.models import EventKind, Order
from tests.factories import make_order

pytestmark = pytest.mark.django_db


@shared_task
def write_a_note(order_id: int) -> None:
    timeline.record(Order.objects.get(pk=order_id), EventKind.NOTE, "from a run")


def test_entry_written_by_a_run_names_it() -> None:
    order = make_order()
    write_a_note.apply(kwargs={"order_id": order.pk}, task_id="the run").get()
    assert order.events.get(kind=EventKind.NOTE).task_id == "the run"


def test_entry_written_outside_of_a_run_names_none() -> None:
    assert timeline.record(make_order(), EventKind.NOTE, "by hand").task_id == ""
