"""One broker with a scheduler and a worker, and what a test does to them."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from celery import states
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult
from kombu import Connection

from backoffice.settings.brokers import broker_settings
from scheduling.models import Process, Run
from scheduling.planning import Plan, plan_many
from tests import services
from tests.brokers.database import use_database
from tests.brokers.servers import Broker, broker
from tests.brokers.tasks import work
from tests.faults.cluster import Cluster, forget_settings

WAIT_SECONDS = 90
"""For what takes a few seconds on a machine with nothing else to do."""

WORKER = "worker"
NUMBERS = count(1)


@dataclass(frozen=True)
class Stage:
    """What one broker's tests play on."""

    name: str
    broker: Broker
    cluster: Cluster

    def plan(
        self, number: int, *, at: datetime | None = None, seconds: float = 0.0, **options: Any
    ) -> list[str]:
        """Plan so many runs, due now unless told otherwise.

        Args:
            options: their queue or priority.

        Returns:
            Their keys.
        """
        keys = [f"{self.name}:{next(NUMBERS)}/work" for _ in range(number)]
        due_at = at or timezone.now()
        with transaction.atomic():
            plan_many(
                [
                    Plan(key=key, task=work, at=due_at, kwargs={"name": key, "seconds": seconds})
                    for key in keys
                ]
            )
            if options:
                PeriodicTask.objects.filter(name__in=keys).update(**options)
        return keys

    def expect_once(self, keys: Sequence[str], *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until all these are done, and see that each was done once."""
        done = TaskResult.objects.filter(periodic_task_name__in=keys, status=states.SUCCESS)
        wait_until(lambda: done.count() == len(keys), seconds=seconds)
        assert Counter(count_effects(keys).values()) == {1: len(keys)}

    @contextmanager
    def worker_at_rest(self) -> Iterator[None]:
        """Let the worker take and run nothing meanwhile."""
        self.signal_worker(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_worker(signal.SIGCONT)

    @contextmanager
    def another_worker(self, name: str, *, queues: str | None = None) -> Iterator[None]:
        """Have a second worker, and wait until it listens."""
        self.cluster.add_worker(name, queues=queues)
        try:
            wait_until(Process.objects.filter(name=f"{name}@faults").exists)
            yield
        finally:
            self.cluster.drop(name)

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

    def publish(self, body: bytes, content_type: str, headers: dict[str, str]) -> None:
        """Put anything into the workers' queue."""
        encoding = "binary" if content_type == "application/x-python-serialize" else "utf-8"
        with self.connect() as connection:
            connection.Producer().publish(
                body,
                content_type=content_type,
                content_encoding=encoding,
                headers=headers,
                # The exchange that every broker has: it puts a message into the queue of that name.
                exchange="",
                routing_key="celery",
            )


@contextmanager
def stage(name: str, database_url: str) -> Iterator[Stage]:
    """Start a broker, a scheduler and a worker on an empty database."""
    with use_database(database_url), broker(name) as running, play(name, running, database_url) as made:
        yield made


@contextmanager
def play(name: str, broker: Broker, database_url: str) -> Iterator[Stage]:
    """Start a scheduler and a worker on a broker and a database."""
    with services.temporary_folder() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("DJANGO_SETTINGS_MODULE", "tests.brokers.settings")
        environment.setenv("VAR_DIR", str(folder))
        environment.setenv("DATABASE_URL", database_url)
        environment.setenv("CELERY_BROKER_URL", broker.service.url)
        forget_settings()
        try:
            with Cluster() as cluster:
                cluster.add_scheduler("scheduler")
                cluster.add_worker(WORKER)
                cluster.wait_until_alive(seconds=WAIT_SECONDS)
                yield Stage(name, broker, cluster)
        finally:
            forget_settings()


def wait_until(condition: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> None:
    services.wait_until(condition, seconds=seconds)


def statuses(keys: Sequence[str]) -> list[str]:
    return list(TaskResult.objects.filter(periodic_task_name__in=keys).values_list("status", flat=True))


def ran_on(keys: Sequence[str]) -> set[str]:
    return set(TaskResult.objects.filter(periodic_task_name__in=keys).values_list("worker", flat=True))


def count_effects(keys: Sequence[str]) -> dict[str, int]:
    """Return how many effects each of these has left."""
    left = Counter(name.rpartition(" ")[0] for name in Group.objects.values_list("name", flat=True))
    return {key: left[key] for key in keys}


def handed_over(keys: Sequence[str], *, times: int = 1) -> bool:
    runs = Run.objects.filter(task_result__periodic_task_name__in=keys, hand_overs__gte=times)
    return runs.count() == len(keys)


def broker_fails() -> bool:
    """Whether the scheduler says so, which the screens show."""
    return Process.objects.filter(broker_failing_since__isnull=False).exists()


def let_hand_over_again(keys: Sequence[str], *, after: timedelta = timedelta(0)) -> None:
    """Set when runs that were not started are doubted: now, or later."""
    Run.objects.filter(task_result__periodic_task_name__in=keys, hand_over_at__isnull=False).update(
        hand_over_at=timezone.now() + after
    )
