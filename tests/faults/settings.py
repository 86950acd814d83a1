"""The settings of the processes under fault: as in development, and the app whose effects are counted."""

from backoffice.settings.development import *

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.effects"]
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BEAT_SCHEDULE = {}
LOGGING = {}
