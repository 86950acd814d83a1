"""The Django project: settings, addresses, the Celery application and the dashboard."""

from backoffice.celery import app as celery_app

__all__ = ["celery_app"]
