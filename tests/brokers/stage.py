"""One broker with a scheduler and a worker, and what a test does to them."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import pytest
from celery import states
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_results.models import TaskResult
from kombu import Connection
from pytest_django import DjangoDbBlocker

from backoffice.settings.brokers import broker_settings
from scheduling.models import Process, Run
from scheduling.planning import Plan, plan_many
from tests import services
from tests.brokers.servers import SERVERS
from tests.brokers.tasks import work
from tests.faults.cluster import Cluster, forget_settings
from tests.faults.stage import Server

WAIT_SECONDS = 90
"""For what takes a few seconds on a machine with nothing else to do."""

WORKER = "worker"
NUMBERS = count(1)


@dataclass(frozen=True)
class Stage:
    """What one broker's tests play on."""

    name: str
    broker: Server
    cluster: Cluster

    def plan(self, number: int, *, at: datetime | None = None, seconds: float = 0.0) -> list[str]:
        """Plan so many runs, due now unless told otherwise.

        Returns:
            Their keys.
        """
        keys = [f"{self.name}:{next(NUMBERS)}/work" for _ in range(number)]
        due_at = at or timezone.now()
        plan_many(
            [Plan(key=key, task=work, at=due_at, kwargs={"name": key, "seconds": seconds}) for key in keys]
        )
        return keys

    def expect_once(self, keys: Sequence[str]) -> None:
        """Wait until all these are done, and see that each was done once."""
        wait_until(lambda: statuses(keys) == [states.SUCCESS] * len(keys))
        assert [effects(key) for key in keys] == [1] * len(keys)

    def signal_worker(self, number: int) -> None:
        """Signal a worker with all its children."""
        os.killpg(self.cluster.pid(WORKER), number)

    def kill_worker(self) -> None:
        """Leave it no time for anything; another takes its place."""
        self.signal_worker(signal.SIGKILL)

    def connect(self) -> Connection:
        """Reach the broker as anyone may who knows its URL."""
        given = broker_settings(self.broker.service.url)
        options = given["CELERY_BROKER_TRANSPORT_OPTIONS"]
        return Connection(given["CELERY_BROKER_URL"], transport_options=options)


@contextmanager
def stage(name: str) -> Iterator[Stage]:
    """Start a broker, a scheduler and a worker on the tests' database."""
    port = services.free_port()
    broker = Server(lambda: SERVERS[name](port))
    with services.temporary_folder() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("DJANGO_SETTINGS_MODULE", "tests.brokers.settings")
        environment.setenv("VAR_DIR", str(folder))
        environment.setenv("DATABASE_URL", database_url())
        environment.setenv("CELERY_BROKER_URL", broker.service.url)
        forget_settings()
        try:
            with Cluster() as cluster:
                cluster.add_scheduler("scheduler")
                cluster.add_worker(WORKER)
                cluster.wait_until_alive(seconds=WAIT_SECONDS)
                yield Stage(name, broker, cluster)
        finally:
            broker.stop()
            forget_settings()


def database_url() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    place = f"{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@{place}"


@contextmanager
def committed_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let a test write what its workers and schedulers see, and delete all of it afterwards."""
    with blocker.unblock():
        try:
            yield
        finally:
            forget_rows()


def forget_rows() -> None:
    for model in (TaskResult, PeriodicTask, ClockedSchedule, Process, Group):
        model.objects.all().delete()


def wait_until(condition: Callable[[], bool]) -> None:
    services.wait_until(condition, seconds=WAIT_SECONDS)


def statuses(keys: Sequence[str]) -> list[str]:
    return list(TaskResult.objects.filter(periodic_task_name__in=keys).values_list("status", flat=True))


def effects(key: str) -> int:
    return Group.objects.filter(name__startswith=f"{key} ").count()


def handed_over(keys: Sequence[str]) -> bool:
    runs = Run.objects.filter(task_result__periodic_task_name__in=keys, handed_over_at__isnull=False)
    return runs.count() == len(keys)


def broker_fails() -> bool:
    """Whether the scheduler says so, which the screens show."""
    return Process.objects.filter(broker_failing_since__isnull=False).exists()


def let_hand_over_again(keys: Sequence[str]) -> None:
    """Let the time pass after which a run that was not started is doubted."""
    Run.objects.filter(task_result__periodic_task_name__in=keys, hand_over_at__isnull=False).update(
        hand_over_at=timezone.now()
    )
