"""The smallest tasks there are, so that what is measured is what is around them."""

import time

import celery
from celery import shared_task
from django.conf import settings

STARTS = settings.VAR_DIR / "starts.txt"


@shared_task
def add(x: int, y: int) -> int:
    """Add, as a task of ours: claimed, and committed with its success."""
    return x + y


@shared_task(base=celery.Task, ignore_result=True)
def add_ignored(x: int, y: int) -> int:
    """Add, as a plain Celery task whose result is thrown away."""
    return x + y


@shared_task(base=celery.Task)
def add_stock(x: int, y: int) -> int:
    """Add, as a plain Celery task whose result is stored by the backend."""
    return x + y


@shared_task
def note_start(committed_at: float) -> None:
    """Append how long after its commit it started."""
    with STARTS.open("a") as file:
        file.write(f"{time.time() - committed_at}\n")
