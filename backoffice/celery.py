"""The Celery application, as in Celery's own guide for Django."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings.development")

app = Celery("backoffice", task_cls="scheduling.execution:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
