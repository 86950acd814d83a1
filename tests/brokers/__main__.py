"""Measure each broker on this machine: python -m tests.brokers [redis rabbitmq sqs zookeeper]."""

import json
import os
import signal
import sys
import time

import django

from tests import services
from tests.brokers.database import make_sqlite

MANY = 500
FEW = 10


def main(names: list[str]) -> None:
    with services.temporary_folder() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.brokers.settings",
            "VAR_DIR": str(folder),
            "DATABASE_URL": make_sqlite(folder),
            "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
        }
        django.setup()
        for name in names:
            print(json.dumps({"broker": name} | measure(name)), flush=True)


def measure(name: str) -> dict[str, float]:
    """Return the seconds that each thing took, oldest first."""
    # Only now, for models can be imported once the settings are there.
    from celery import states

    from tests.brokers.stage import Stage, handed_over, stage, statuses, wait_until

    def hand_over(made: Stage) -> float:
        made.signal_worker(signal.SIGSTOP)
        began = time.monotonic()
        keys = made.plan(MANY)
        wait_until(lambda: handed_over(keys))
        seconds = time.monotonic() - began
        made.signal_worker(signal.SIGCONT)
        made.expect_once(keys)
        return seconds

    def run(made: Stage) -> float:
        began = time.monotonic()
        made.expect_once(made.plan(MANY))
        return time.monotonic() - began

    def recover(made: Stage) -> float:
        keys = made.plan(FEW, seconds=1.0)
        wait_until(lambda: states.STARTED in statuses(keys))
        made.kill_worker()
        began = time.monotonic()
        made.expect_once(keys)
        return time.monotonic() - began

    with stage(name, os.environ["DATABASE_URL"]) as made:
        made.expect_once(made.plan(FEW))
        return {step.__name__: round(step(made), 1) for step in (hand_over, run, recover)}


if __name__ == "__main__":
    from tests.brokers.servers import SERVERS

    main(sys.argv[1:] or list(SERVERS))
