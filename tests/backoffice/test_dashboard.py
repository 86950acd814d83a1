"""The dashboard: right figures, each with its list, in as many statements for many rows as for few."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.dashboard import figures
from backoffice.dashboard.period import Period, chosen_period
from orders.models import Order, OrderPaymentDetails
from scheduling.models import AlertRule, Run
from tests.factories import make_order, make_staff, make_superuser, pay
from tests.scheduling.factories import make_run
from tests.scheduling.test_schedules import save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def overdue(amount: str, *, days: int, currency: str = "EUR") -> Order:
    order = make_order(amount, currency=currency)
    OrderPaymentDetails.objects.filter(order=order).update(due_at=timezone.now() - timedelta(days=days))
    return order


@pytest.mark.parametrize(
    "asked",
    [("", "", ""), ("nine", "", ""), ("custom", "2026-02-30", "x"), ("custom", "2026-03-02", "2026-03-01")],
)
def test_period_falls_back_to_today(asked: tuple[str, str, str]) -> None:
    today = timezone.localdate()
    assert chosen_period(*asked) == Period(today, today, "today")


def test_period_may_be_any_days() -> None:
    period = chosen_period("custom", "2026-03-01", "2026-03-10")
    assert (period.days, period.before) == (10, Period(date(2026, 2, 19), date(2026, 2, 28)))


def test_sales_are_counted_in_their_period_and_currency() -> None:
    now = timezone.now()
    make_order("10.00")
    make_order("7.00", currency="USD")
    make_order("3.00", placed_at=now - timedelta(days=1))
    period = chosen_period("today", "", "")
    sales = figures.sales(period)
    assert sales["EUR"].revenue_in(period) == Decimal("10.00")
    assert sales["EUR"].revenue_in(period.before) == Decimal("3.00")
    assert sales["USD"].revenue_in(period) == Decimal("7.00")


def test_cancelled_orders_and_drafts_are_no_sales() -> None:
    make_order("10.00", status="draft")
    make_order("10.00", status="cancelled")
    assert not figures.sales(chosen_period("30", "", ""))


def test_debt_is_what_is_still_to_be_paid_by_its_age() -> None:
    make_order("5.00")
    pay(overdue("10.00", days=3), "4.00")
    overdue("20.00", days=40)
    debt = figures.debts(timezone.now())["EUR"]
    assert list(debt.amounts.values()) == [Decimal(5), Decimal(6), Decimal(0), Decimal(20)]
    assert (debt.owed, debt.overdue, debt.orders_overdue) == (Decimal(31), Decimal(26), 2)


def test_paid_on_time_compares_settlement_with_the_due_date() -> None:
    pay(make_order("10.00"), "10.00")
    pay(overdue("10.00", days=2), "10.00")
    now, before = figures.punctuality(chosen_period("today", "", ""))
    assert (now.settled, now.on_time, now.percent) == (2, 1, 50)
    assert before.percent is None


def test_dashboard_never_adds_two_currencies(client: Client) -> None:
    make_order("10.00")
    make_order("7.00", currency="USD")
    client.force_login(make_superuser())
    money = client.get("/?period=7").context["money"]
    assert [(each.currency, each.revenue) for each in money] == [("EUR", Decimal(10)), ("USD", Decimal(7))]


def test_dashboard_lists_what_is_overdue_with_its_next_action(client: Client) -> None:
    order = overdue("10.00", days=3)
    client.force_login(make_superuser())
    [need] = client.get("/").context["needs"]
    assert need.words == "due"
    assert [(each.title, each.url) for each in need.buttons] == [
        ("Remind", f"/orders/order/{order.pk}/remind/"),
        ("Record payment", f"/orders/order/{order.pk}/receive/"),
    ]


def test_dashboard_offers_no_action_to_who_may_only_look(client: Client) -> None:
    overdue("10.00", days=3)
    client.force_login(make_staff("orders.view_order", "django_celery_results.view_taskresult"))
    page = client.get("/")
    [need] = page.context["needs"]
    assert not need.buttons
    assert not any(run.buttons for run in page.context["next_runs"])


def test_dashboard_offers_to_retry_what_failed_until_it_was_run_again(client: Client) -> None:
    order = make_order("10.00")
    run = make_run(subject=f"order:{order.pk}", status="FAILURE", date_done=timezone.now())
    client.force_login(make_superuser())
    [need] = client.get("/").context["needs"]
    [retry] = need.buttons
    assert retry.label == f"Retry: Report for {order} {order.customer}"
    client.post(retry.url, {"_form_submitted": "True"})
    assert Run.objects.exclude(pk=run.pk).get().subject == f"order:{order.pk}"
    assert client.get("/").context["needs"] == []


@pytest.mark.parametrize(
    ("permission", "titles"),
    [
        ("scheduling.run_task", {"Do now", "Run now"}),
        ("scheduling.change_delayedtask", {"Postpone"}),
        ("scheduling.cancel_run", {"Cancel"}),
        ("scheduling.pause_schedule", {"Pause", "Skip next"}),
    ],
)
def test_what_runs_next_can_be_steered_by_those_permitted(
    client: Client, permission: str, titles: set[str]
) -> None:
    make_order("10.00")
    save()
    client.force_login(make_staff("django_celery_results.view_taskresult", permission))
    shown = "".join(run.buttons for run in client.get("/").context["next_runs"])
    known = {"Do now", "Run now", "Postpone", "Cancel", "Pause", "Skip next", "Resume"}
    assert {title for title in known if f">{title}<" in shown} == titles


def test_dashboard_shows_nothing_to_who_may_see_nothing(client: Client) -> None:
    make_order("10.00")
    client.force_login(make_staff())
    page = client.get("/").content.decode()
    assert "nothing here that you may see" in page
    assert "EUR" not in page


def test_dashboard_shows_what_runs_next(client: Client) -> None:
    order = make_order("10.00")
    client.force_login(make_superuser())
    first = client.get("/").context["next_runs"][0]
    assert first.whom == f"{order} {order.customer}"


@pytest.mark.parametrize(("permission", "shown"), [("view_alertrule", True), ("view_process", False)])
def test_dashboard_shows_alerts_that_fire_to_who_may_see_rules(
    client: Client, permission: str, shown: bool
) -> None:
    AlertRule.objects.create(
        name="Backlog", kind="backlog", found="More than 5 runs wait.", firing_since=timezone.now()
    )
    client.force_login(make_staff("django_celery_results.view_taskresult", f"scheduling.{permission}"))
    assert ("More than 5 runs wait." in client.get("/").content.decode()) == shown


@pytest.mark.parametrize("name", ["placed_address", "owed_address", "overdue_address", "settled_address"])
def test_figure_links_to_the_orders_behind_it(client: Client, name: str) -> None:
    late, other = overdue("10.00", days=3), make_order("5.00")
    pay(other, "5.00")
    client.force_login(make_superuser())
    address = client.get("/").context[name]
    shown = list(client.get(address).context["cl"].result_list)
    assert (
        shown
        == {
            "placed_address": [other, late],
            "owed_address": [late],
            "overdue_address": [late],
            "settled_address": [other],
        }[name]
    )


def test_dashboard_asks_the_database_as_often_for_many_orders(client: Client) -> None:
    client.force_login(make_superuser())
    overdue("10.00", days=3)
    client.get("/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/?period=30")
    for days in range(1, 15):
        overdue("10.00", days=days)
        make_order("5.00", currency="USD")
    with CaptureQueriesContext(connection) as many:
        client.get("/?period=30")
    assert len(many) == len(few)
    assert len(many) < 20
