"""As in development, without the development tools, and with the tasks that are measured."""

from backoffice.settings.development import *

DEBUG = False
CELERY_IMPORTS = ["benchmarks.tasks"]
CELERY_BEAT_SCHEDULE = {}
LOGGING = {}
