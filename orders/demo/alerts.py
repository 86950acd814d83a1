"""What the demo shop wants to be told of: one rule of each kind, of which the first has something to say."""

from orders.tasks import send_order_confirmation
from scheduling.models import AlertRule

OPERATIONS = "operations@backoffice.example"


def add_alert_rules() -> None:
    """Store the rules."""
    AlertRule.objects.bulk_create(
        [
            AlertRule(
                name="Confirmations fail",
                kind=AlertRule.Kind.FAILURES,
                task_name=send_order_confirmation.name,
                threshold=3,
                window_minutes=24 * 60,
                pause_minutes=24 * 60,
                emails=OPERATIONS,
            ),
            AlertRule(name="Work is late", kind=AlertRule.Kind.LATE, threshold=300),
            AlertRule(name="Nobody works", kind=AlertRule.Kind.NOBODY, queue="celery"),
            AlertRule(name="Too much waits", kind=AlertRule.Kind.BACKLOG, threshold=500),
        ]
    )
