"""P3: the same message comes again and again, to two workers at once."""

from datetime import timedelta

from celery import current_app
from django.utils import timezone

from scheduling.due import claim_due
from scheduling.handover import publish
from tests.faults.cluster import Cluster, wait_until
from tests.faults.counting import count, plan_effects, wait_for_quiet
from tests.faults.stage import Stage

MESSAGES = 3


def deliver_again(stage: Stage, n: int) -> dict[str, float]:
    """Publish three messages for every run, and let two workers race for them.

    Args:
        n: how many runs.
    """
    planned = plan_effects((f"again-{number}" for number in range(n)), seconds=0.01)
    with current_app.connection_for_write() as connection:
        producer = current_app.amqp.Producer(connection)
        while runs := claim_due(now=timezone.now(), lease=timedelta(hours=1)):
            for run in runs:
                for _ in range(MESSAGES):
                    publish(run, app=current_app, producer=producer)
    with Cluster() as cluster:
        cluster.add_worker("worker-one")
        cluster.add_worker("worker-two")
        wait_for_quiet(planned, seconds=300)
        wait_until(_is_read, seconds=60)
        return count(planned) | {"messages": n * MESSAGES}


def _is_read() -> bool:
    """Whether no message is left in the queue."""
    with current_app.connection_for_read() as connection:
        queue = current_app.amqp.queues["celery"]
        return bool(queue(connection.default_channel).queue_declare().message_count == 0)
