"""The same with the result backend of django-celery-results as it comes."""

from benchmarks.settings import *

CELERY_RESULT_BACKEND = "django-db"
CELERY_TASK_TRACK_STARTED = True
