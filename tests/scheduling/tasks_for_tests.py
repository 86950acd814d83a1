"""Tasks as an app might have them. Their effect is a `Category`, unique by name: any model would do."""

import os
import signal
import time
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import celery
from celery import shared_task
from django.core.validators import validate_email
from django.db.models import TextChoices

from orders.models import Category
from scheduling.arguments import ModelKey


@shared_task
def record(name: str) -> str:
    Category.objects.create(name=name)
    return name


@shared_task
def add(x: int, y: int) -> int:
    return x + y


@shared_task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task
def remember(**values: Any) -> None:
    """Take whatever it is given."""


@shared_task
def fail(name: str = "undone") -> None:
    Category.objects.create(name=name)
    raise ValueError("no such order")


@shared_task
def return_what_json_cannot_hold(name: str) -> object:
    Category.objects.create(name=name)
    return object()


@shared_task(secret_arguments=("password",))
def log_in(user: str, password: str) -> None:
    """Keep what it is given to itself."""


@shared_task
def move_in(town: Annotated[str, {"Rome": 1}.__getitem__]) -> None:
    """Have a validator that raises what none should."""


@shared_task(secret_arguments=("codes",))
def try_codes(door: str, *codes: str) -> None:
    """Keep all the codes to itself."""


@shared_task
def look_up(number: int, /) -> None:
    """Take its argument by its place alone."""


@shared_task(secret_arguments=("pin", "until", "kind"))
def open_safe(pin: int, until: date, kind: Literal["one", "two"]) -> None:
    """Refuse what is none of these."""


@shared_task(bind=True, max_retries=2, default_retry_delay=60)
def retry_by_hand(self: celery.Task) -> None:
    Category.objects.create(name=f"attempt {self.request.retries + 1}")
    try:
        raise OSError("no answer")
    except OSError as error:
        raise self.retry(exc=error, countdown=30) from error


@shared_task(autoretry_for=(ConnectionError,), max_retries=1, retry_backoff=10, retry_jitter=False)
def retry_by_itself() -> None:
    raise ConnectionError("no answer")


@shared_task(bind=True, atomic=False)
def work_slowly(self: celery.Task, name: str) -> str:
    self.progress(1, 2, "half way")
    with self.effect():
        Category.objects.create(name=name)
    return "sent"


@shared_task(bind=True, atomic=False)
def work_twice(self: celery.Task) -> None:
    for name in ("first", "second"):
        with self.effect():
            Category.objects.create(name=name)


@shared_task(atomic=False, schedulable=True, words="Report")
def report() -> str:
    return "all well"


@shared_task(atomic=False)
def report_failure() -> None:
    raise ValueError("not well")


@shared_task(bind=True)
def tell_state(self: celery.Task, name: str) -> None:
    """Tell how far it is as plain Celery tasks do."""
    self.update_state(state="PROGRESS", meta={"current": 1})
    Category.objects.create(name=name)


@shared_task(bind=True)
def show_progress_in_transaction(self: celery.Task) -> None:
    self.progress(1, 2)


@shared_task(bind=True, atomic=False)
def count_to(self: celery.Task, last: int) -> None:
    for number in range(1, last + 1):
        self.progress(number, last, f"number {number}")


@shared_task(atomic=False, max_retries=1)
def kill_its_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task
def remind_of_anything(subject: object) -> None:
    """Take what no form can ask for."""


class Format(TextChoices):
    """How a file is written."""

    CSV = "csv", "Comma separated"
    XLSX = "xlsx", "Excel"


@shared_task(schedulable=True, words="Send the test report", touches="E-mails whoever is named.")
def send_report(
    recipients: list[Annotated[str, validate_email]],
    since: date,
    days: Annotated[int, "How many days it covers."] = 7,
    format: Format = Format.CSV,
    audience: Literal["staff", "customers"] = "staff",
    minimum: Decimal | None = None,
    detailed: bool = False,
    group_id: Annotated[int | None, ModelKey("auth.Group")] = None,
) -> str:
    """Return the types it was given, since JSON has neither dates nor decimals."""
    return f"{type(since).__name__} {type(minimum).__name__} {type(format).__name__}"


@shared_task(bind=True)
def succeed_at_second_try(self: celery.Task) -> int:
    if self.request.retries == 0:
        raise self.retry(exc=OSError("not yet"), countdown=0)
    return 2


@shared_task(atomic=False)
def wait(seconds: float) -> str:
    time.sleep(seconds)
    return "waited"


@shared_task(bind=True, atomic=False)
def record_later(self: celery.Task, seconds: float, name: str) -> None:
    time.sleep(seconds)
    with self.effect():
        Category.objects.create(name=name)
