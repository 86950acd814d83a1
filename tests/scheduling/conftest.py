import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from kombu import Connection

from scheduling.scheduler import Scheduler
from tests import services

TickUntil = Callable[[Callable[[], Any]], None]
UseBroker = Callable[[str], None]


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseBroker]:
    """Point the application at another broker for one test; the default one refuses."""
    # Those it has are connected to whatever broker was named when one was first asked for.
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    conf = current_app.conf
    names = ("broker_url", "broker_read_url", "broker_write_url", "broker_transport_options")
    before = {name: conf[name] for name in names}

    def use(url: str) -> None:
        # Without the time limits of the settings: it is the scheduler that must not wait.
        conf.update(broker_url=url, broker_read_url=url, broker_write_url=url, broker_transport_options={})

    yield use
    conf.update(before)


@pytest.fixture
def messages(use_broker: UseBroker) -> Iterator[Callable[[], list[Any]]]:
    """A broker in memory; called, it returns the messages that came since the last time."""
    use_broker("memory://localhost")
    with Connection("memory://localhost") as broker, broker.SimpleQueue("celery") as queue:
        queue.clear()

        def read() -> list[Any]:
            return [queue.get_nowait() for _ in range(len(queue))]

        yield read


@pytest.fixture(scope="session")
def database_url(django_db_setup: None) -> str:
    """Where a process of its own finds the tests' database."""
    fields = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{fields['NAME']}"
    return f"postgres://{fields['USER']}@{fields['HOST']}:{fields['PORT']}/{fields['NAME']}"


@pytest.fixture
def tick_until(
    worker: services.Service, use_broker: UseBroker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TickUntil]:
    """Tick a scheduler until something holds; the module says which `worker` does what it hands over."""
    use_broker(worker.url)
    monkeypatch.setattr("scheduling.scheduler.POLL_SECONDS", 0.05)
    monkeypatch.setattr("scheduling.publisher.IDLE_SECONDS", 0.05)
    schedule = current_app.conf.beat_schedule
    current_app.conf.update(beat_schedule={})
    scheduler = Scheduler(current_app)

    def tick(condition: Callable[[], Any]) -> None:
        give_up_at = time.monotonic() + 60
        while not condition():
            scheduler.tick()
            assert time.monotonic() < give_up_at, "not within 60 s"

    yield tick
    scheduler.close()
    current_app.conf.update(beat_schedule=schedule)
