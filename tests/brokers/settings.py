"""The settings of the workers and schedulers: as in development, with nothing due by itself."""

from backoffice.settings.development import *

DEBUG = False
CELERY_BEAT_SCHEDULE = {}
CELERY_IMPORTS = ["tests.brokers.tasks"]
LOGGING = {}
