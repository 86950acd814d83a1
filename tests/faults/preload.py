"""Imported once in the fork server, so that a killed process is replaced in a moment."""

import importlib

import django

django.setup()

from backoffice.celery import app  # noqa: E402

app.loader.import_default_modules()
app.finalize()

# What workers and schedulers would import when they start.
for module in (
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.fixups.django",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.pidbox",
    "celery.worker.strategy",
    "django.db.models.sql.compiler",
    "kombu.transport.redis",
    "scheduling.results",
    "scheduling.scheduler",
    "tests.faults.cluster",
):
    importlib.import_module(module)
