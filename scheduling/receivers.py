"""Every receiver of Celery's signals, connected by name."""

import os
import threading
from typing import Any

from celery import current_app, signals
from celery.worker import state
from django.db import connection

from scheduling.heartbeat import Heart
from scheduling.models import Process
from scheduling.stopping import can_stop, end_stopped_runs, snapshot
from scheduling.unplanned import record_publish

LOCK_SECONDS = 1.0
END_SECONDS = 10
"""A worker that has signed off has nothing left to do."""


def connect_receivers() -> None:
    """Connect them; called once, when the app is ready."""
    signals.before_task_publish.connect(record_published, dispatch_uid="record_published")
    signals.beat_init.connect(wait_briefly_for_locks, dispatch_uid="wait_briefly_for_locks")
    signals.worker_ready.connect(start_heart, dispatch_uid="start_heart")
    signals.worker_shutdown.connect(stop_heart, dispatch_uid="stop_heart")


def record_published(sender: str, headers: dict[str, Any], body: Any, **details: Any) -> None:
    """Write the run of a message that others publish, with its arguments whole."""
    queue = details.get("routing_key") or ""
    record_publish(headers=headers, body=body, task=current_app.tasks.get(sender), queue=queue)


def wait_briefly_for_locks(**kwargs: Any) -> None:
    """Have `celery beat` wait for SQLite's lock for a moment, and try again at its next tick.

    While it waits no signal reaches it, and it is to end within five seconds. Its publisher has a
    connection of its own, and waits as long as others do.
    """
    if connection.vendor == "sqlite":
        options = {**connection.settings_dict["OPTIONS"], "timeout": LOCK_SECONDS}
        connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
        connection.close()


def start_heart(sender: Any, **kwargs: Any) -> None:
    """Let a worker's heart beat, once it takes messages."""
    sender.controller.heart = heart = Heart(
        sender.hostname,
        kind=Process.Kind.WORKER,
        details=lambda: worker_details(sender),
        errand=lambda: end_stopped_runs(sender.pool),
    )
    heart.start()


def stop_heart(sender: Any, **kwargs: Any) -> None:
    """Sign a worker off after its last run, and see that its process ends."""
    heart: Heart | None = getattr(sender, "heart", None)
    if heart:
        heart.stop()
        end_soon()


def end_soon() -> None:
    """End this process by force if it does not end by itself.

    Celery may wait for ever for the rest of what a child had said when the broker was lost. A supervisor
    starts the next worker only when this one has ended.
    """
    end = threading.Timer(END_SECONDS, os._exit, args=[1])
    end.daemon = True
    end.start()


def worker_details(consumer: Any) -> dict[str, Any]:
    """Return what a worker's heartbeat records: its queues and the runs it has."""
    # After a lost broker connection, what runs may be active and not reserved any more.
    reserved, active = snapshot(state.reserved_requests), snapshot(state.active_requests)
    return {
        "queues": sorted(consumer.app.amqp.queues.consume_from),
        "running": sorted({request.id for request in (*reserved, *active)}),
        "concurrency": consumer.pool.num_processes if consumer.pool else 1,
        "can_stop": can_stop(consumer.pool),
        "refused": consumer.refused,
        "refused_because": consumer.refused_because,
    }
