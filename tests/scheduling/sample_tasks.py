"""Tasks that exist for the tests alone."""

from celery import shared_task


@shared_task(secret_arguments=("token",))
def remind(order_id: int, token: str = "") -> str:
    return f"reminded {order_id}"


@shared_task(schedulable=True, words="Send a report", touches="Nothing.")
def send_report(days: int) -> str:
    return f"reported {days} days"
