"""A laptop: SQLite and a broker under `var/`, mail kept in files, Debug Toolbar."""

from backoffice.settings.base import *

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env("DJANGO_SECRET_KEY", default="not-a-secret: development only")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
INTERNAL_IPS = ["127.0.0.1", "::1"]

VAR_DIR.mkdir(parents=True, exist_ok=True)
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=f"redis+socket://{VAR_DIR}/broker.sock?virtual_host=0")

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
