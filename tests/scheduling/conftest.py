from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from kombu import Connection

UseBroker = Callable[[str], None]


@pytest.fixture
def use_broker() -> Iterator[UseBroker]:
    """Point the application at another broker for one test; the default one refuses."""
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
    with Connection("memory://localhost") as connection, connection.SimpleQueue("celery") as queue:
        queue.clear()

        def read() -> list[Any]:
            return [queue.get_nowait() for _ in range(len(queue))]

        yield read
