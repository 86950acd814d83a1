"""Who may do what in the editor: every address × every role × both methods, and which buttons are shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from scheduling import schedules
from scheduling.models import DelayedTask, Recurrence, RecurringTask, Run
from scheduling.planning import plan
from tests.factories import make_staff, make_superuser
from tests.scheduling import tasks_for_tests as tasks
from tests.scheduling.admin.test_schedule_page import TYPED
from tests.scheduling.test_schedules import save

pytestmark = pytest.mark.django_db

VIEW = ("scheduling.view_recurringtask", "scheduling.view_delayedtask")
ADD = "scheduling.add_recurringtask"
CHANGE = "scheduling.change_recurringtask"
DELETE = "scheduling.delete_recurringtask"
PAUSE = "scheduling.pause_schedule"
MOVE = "scheduling.change_delayedtask"
RUN = "scheduling.run_task"
CANCEL = "scheduling.cancel_run"

ROLES = {
    "nobody": None,
    "staff": (),
    "viewer": VIEW,
    **{permission: (*VIEW, permission) for permission in (ADD, CHANGE, DELETE, PAUSE, MOVE, RUN, CANCEL)},
    "superuser": None,
}
ANSWERED = {"_form_submitted": "on"}
RECURRING = "scheduling_recurringtask"
DELAYED = "scheduling_delayedtask"


def one() -> RecurringTask:
    return save("Sales report to finance")


def resting() -> RecurringTask:
    row = one()
    schedules.pause(row, reason="holidays")
    return row


def planned() -> DelayedTask:
    plan("order:1/report", tasks.report, at=timezone.now() + timedelta(hours=2))
    return DelayedTask.objects.get()


@dataclass(frozen=True)
class Verb:
    """Something that can be done at an address.

    Args:
        permission: who may.
        posted: what a browser sends once the dialog is answered.
        asks: whether a GET shows a question.
    """

    name: str
    permission: str
    before: Callable[[], Model] = one
    posted: dict[str, Any] = field(default_factory=lambda: dict(ANSWERED))
    asks: bool = True

    def address(self, row: Model) -> str:
        page, _, verb = self.name.partition(" ")
        about = [] if verb in ("add", "changelist") else [row.pk]
        return reverse(f"admin:{page}_{verb}", args=about)


def ticked(action: str, permission: str, before: Callable[[], Model] = one, **typed: str) -> Verb:
    """Return a verb that is chosen for the ticked rows of the list."""
    posted = {"action": action, **typed, **ANSWERED}
    return Verb(f"{RECURRING} changelist", permission, before, posted, asks=False)


VERBS = {
    "run": Verb(f"{RECURRING} run_now", RUN),
    "pause": Verb(f"{RECURRING} pause", PAUSE, one, {"reason": "holidays", **ANSWERED}),
    "resume": Verb(f"{RECURRING} resume", PAUSE, resting),
    "skip": Verb(f"{RECURRING} skip_next", PAUSE),
    "duplicate": Verb(f"{RECURRING} duplicate", ADD, one, {"name": "Another", **ANSWERED}),
    "add": Verb(f"{RECURRING} add", ADD, one, {**TYPED, "name": "Another"}),
    "plan": Verb(
        f"{RECURRING} add", ADD, one, {**TYPED, "name": "Once", "kind": "once", "at": "2030-01-02T09:00"}
    ),
    "change": Verb(f"{RECURRING} change", CHANGE, one, TYPED, asks=False),
    "delete": Verb(f"{RECURRING} delete", DELETE, one, {"post": "yes"}),
    "run ticked": ticked("run_ticked", RUN),
    "pause ticked": ticked("pause_ticked", PAUSE, reason="holidays"),
    "resume ticked": ticked("resume_ticked", PAUSE, resting),
    "skip ticked": ticked("skip_ticked", PAUSE),
    "duplicate ticked": ticked("duplicate_ticked", ADD),
    "delete ticked": ticked("delete_selected", DELETE, post="yes"),
    "postpone": Verb(f"{DELAYED} postpone", MOVE, planned, {"to": "2030-01-02T09:30", **ANSWERED}),
    "do now": Verb(f"{DELAYED} do_now", RUN, planned),
    "cancel": Verb(f"{DELAYED} cancel", CANCEL, planned, {"reason": "paid in cash", **ANSWERED}),
}

each_verb = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
each_role = pytest.mark.parametrize("role", ROLES)


def log_in(client: Client, role: str) -> None:
    if role == "superuser":
        client.force_login(make_superuser())
    elif (permissions := ROLES[role]) is not None:
        client.force_login(make_staff(*permissions))


def state() -> dict[str, list[Any]]:
    """Return everything that a verb could change."""
    models = (PeriodicTask, Recurrence, ClockedSchedule, TaskResult, Run)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@each_verb
@each_role
def test_nothing_is_done_by_get_and_the_question_is_for_those_permitted(
    client: Client, verb: Verb, role: str
) -> None:
    row = verb.before()
    before = state()
    log_in(client, role)
    answer = client.get(verb.address(row), {**verb.posted, "_selected_action": row.pk})
    assert state() == before
    if role == "nobody":
        assert answer.headers["Location"].startswith(reverse("admin:login"))
    elif verb.asks:
        assert answer.status_code == (200 if role in (verb.permission, "superuser") else 403)


@each_verb
@each_role
def test_verb_is_done_by_those_permitted_and_leaves_a_trace(client: Client, verb: Verb, role: str) -> None:
    row = verb.before()
    before = state()
    log_in(client, role)
    client.post(verb.address(row), {**verb.posted, "_selected_action": row.pk})
    allowed = role in (verb.permission, "superuser")
    assert (state() != before) == allowed
    assert LogEntry.objects.count() == int(allowed)


@each_verb
def test_verb_without_the_token_of_its_page_is_refused(verb: Verb) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_superuser())
    row = verb.before()
    before = state()
    assert client.post(verb.address(row), {**verb.posted, "_selected_action": row.pk}).status_code == 403
    assert state() == before


@pytest.mark.parametrize("verb", [verb for name, verb in VERBS.items() if "ticked" in name])
def test_verb_on_several_asks_first(client: Client, verb: Verb) -> None:
    row = verb.before()
    before = state()
    client.force_login(make_superuser())
    page = client.post(verb.address(row), {"action": verb.posted["action"], "_selected_action": row.pk})
    assert row.name in page.content.decode()  # type: ignore[attr-defined]
    assert state() == before


PAGES = {
    "list": (f"{RECURRING}_changelist", (*VIEW[:1], CHANGE)),
    "one schedule": (f"{RECURRING}_change", (*VIEW[:1], CHANGE)),
    "who did what": (f"{RECURRING}_history", (*VIEW[:1], CHANGE)),
    "preview": (f"{RECURRING}_preview", (ADD, CHANGE)),
    "arguments": (f"{RECURRING}_arguments", (ADD, CHANGE)),
    "delayed": (f"{DELAYED}_changelist", (*VIEW[1:], MOVE)),
    "one delayed": (f"{DELAYED}_change", (*VIEW[1:], MOVE)),
}


@pytest.mark.parametrize(("name", "permitted"), PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("permission", ["nobody", "", *VIEW, ADD, CHANGE, DELETE, PAUSE, MOVE, RUN, CANCEL])
def test_page_is_shown_to_those_permitted(
    client: Client, name: str, permitted: tuple[str, ...], permission: str
) -> None:
    row = planned() if name.startswith(DELAYED) else one()
    if permission != "nobody":
        client.force_login(make_staff(*filter(None, [permission])))
    address = reverse(f"admin:{name}", args=[row.pk] if name.endswith(("_change", "_history")) else [])
    expected = 302 if permission == "nobody" else 200 if permission in permitted else 403
    assert client.get(address).status_code == expected


def shown(page: str) -> Iterator[str]:
    """Yield the names of the buttons that a page shows."""
    for name in ("Run now", "Pause", "Skip next", "Duplicate", "Postpone", "Do now", "Cancel"):
        if f'">{name}</button>' in page:
            yield name


@pytest.mark.parametrize(
    ("name", "buttons"),
    [
        (f"{RECURRING}_changelist", {"Run now": RUN, "Pause": PAUSE}),
        (f"{RECURRING}_change", {"Run now": RUN, "Pause": PAUSE, "Skip next": PAUSE, "Duplicate": ADD}),
        (f"{DELAYED}_changelist", {"Postpone": MOVE, "Do now": RUN, "Cancel": CANCEL}),
    ],
)
@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("nobody", "staff")])
def test_page_offers_what_the_reader_may_do(
    client: Client, name: str, buttons: dict[str, str], role: str
) -> None:
    row = planned() if name.startswith(DELAYED) else one()
    log_in(client, role)
    page = client.get(reverse(f"admin:{name}", args=[row.pk] if name.endswith("_change") else []))
    expected = {button for button, permission in buttons.items() if role in (permission, "superuser")}
    assert set(shown(page.content.decode())) == expected


def test_delayed_task_is_cancelled_and_never_just_deleted(client: Client) -> None:
    row = planned()
    client.force_login(make_superuser())
    address = reverse(f"admin:{DELAYED}_delete", args=[row.pk])
    assert (client.get(address).status_code, client.post(address, {"post": "yes"}).status_code) == (403, 403)
    assert DelayedTask.objects.exists()
