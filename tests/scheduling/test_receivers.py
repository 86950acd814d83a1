import os
import sys

import pytest

from scheduling.models import Process
from tests import services

NAME = "celery@never-ends"


@pytest.mark.django_db(transaction=True)
def test_worker_that_has_signed_off_ends_whatever_holds_it(
    redis: services.Service, database_url: str
) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backoffice.settings.test",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": redis.url,
    }
    options = ["--include", "tests.scheduling.never_ends", "--hostname", NAME, "--pool", "solo"]
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "worker", *options, "--without-mingle"]
    with services.running(command, env=environment) as process:
        services.wait_until(Process.objects.filter(name=NAME).exists, process, seconds=120)
        process.terminate()
        services.wait_until(lambda: process.poll() is not None, seconds=60)
    assert process.returncode == 1
