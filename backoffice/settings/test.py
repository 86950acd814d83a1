"""The test suite: a fast password hasher, mail in memory, and the database that `DATABASE_URL` names."""

import os
from pathlib import Path
from tempfile import gettempdir

from backoffice.settings.base import *
from backoffice.settings.brokers import broker_settings

DEBUG = False
SECRET_KEY = "test"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

# No test may reach a broker by accident: port 9 is discard, and refuses.
globals().update(broker_settings(env("CELERY_BROKER_URL", default="redis://127.0.0.1:9/0")))

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# No test needs the files collected.
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as everywhere else: threads that share a database in memory get in each other's way.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(gettempdir()) / f"backoffice-{os.getpid()}.sqlite3")}
    # Nothing of it has to outlive a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
