"""Celery, its broker, its scheduler and its results."""

from datetime import timedelta

import environ
from celery.schedules import crontab

env = environ.Env()

CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"

CELERY_BEAT_SCHEDULER = "scheduling.scheduler:Scheduler"
CELERY_RESULT_BACKEND = "scheduling.results:DatabaseBackend"
CELERY_RESULT_EXTENDED = True
# Runs are pruned by state and age by a task of ours; Celery's own clean-up would delete unfinished
# runs too.
CELERY_RESULT_EXPIRES = None

# A message is acknowledged after its run, so a killed worker's message comes back. Doing the work
# twice is prevented by the claim on the run, not by the broker.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
# Celery's own begins anew for ever at some messages that are no task's.
CELERY_WORKER_CONSUMER = "scheduling.consumer:Consumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For ever: a worker gives up after 100 tries by default, and a broker may be away for a night.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A run whose message may be redelivered elsewhere is fenced by its claim; letting it finish is
# cheaper than cancelling it half-way.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# Opening a connection for each task costs more than most tasks.
CELERY_DB_REUSE_MAX = 10_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Runs that failed, were cancelled or missed are kept longer: people look for them.
SCHEDULING_KEEP_SUCCEEDED = timedelta(days=env.int("KEEP_SUCCEEDED_DAYS", default=30))
SCHEDULING_KEEP_OTHERS = timedelta(days=env.int("KEEP_OTHERS_DAYS", default=90))

CELERY_BEAT_SCHEDULE = {
    "Sales report": {
        "task": "orders.tasks.sales_report",
        "schedule": crontab(minute="30", hour="4"),
        "description": "Sends what yesterday brought to those who asked for it.",
    },
    "Prune old order timelines": {
        "task": "orders.tasks.prune_order_events",
        "schedule": crontab(minute="15", hour="4"),
        "description": "Deletes entries of order timelines older than they are kept for.",
    },
    "Prune old runs": {
        "task": "scheduling.tasks.prune_results",
        "schedule": crontab(minute="0", hour="4"),
        "description": "Deletes runs that ended longer ago than they are kept for.",
    },
}
