"""Tasks whose effects can be counted: each is a group, whose name begins with the run's."""

import os
import signal
import time
from typing import Any
from uuid import uuid4

from celery import shared_task
from django.contrib.auth.models import Group


@shared_task(bind=True, atomic=False, max_retries=50)
def work(self: Any, name: str, seconds: float = 0.0) -> None:
    """Commit one effect, after the given time."""
    time.sleep(seconds)
    with self.effect():
        Group.objects.create(name=f"{name} {uuid4()}")


@shared_task(atomic=False, max_retries=1)
def kill_its_worker() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
