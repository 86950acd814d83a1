"""Real workers, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scheduling.models import Process
from tests import services


@contextmanager
def running_worker(
    name: str, broker_url: str, database_url: str, *, pool: str = "prefork"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of two processes, or threads, that knows the tests' tasks, until the block ends."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backoffice.settings.test",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": broker_url,
    }
    options = ["--include", "tests.scheduling.tasks_for_tests", "--hostname", name, "--concurrency", "2"]
    options += ["--pool", pool, "--without-mingle"]
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "worker", *options]
    with services.running(command, env=environment) as process:
        services.wait_until(Process.objects.filter(name=name).exists, process, seconds=120)
        yield process
