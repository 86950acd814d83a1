"""A laptop: SQLite and a broker under `var/`, mail kept in files, Debug Toolbar."""

from backoffice.settings.base import *
from backoffice.settings.brokers import broker_settings

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env("DJANGO_SECRET_KEY", default="not-a-secret: development only")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
INTERNAL_IPS = ["127.0.0.1", "::1"]

# Served from where they lie, with no `collectstatic` first.
WHITENOISE_USE_FINDERS = True

if DEBUG:
    INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
    MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware", *MIDDLEWARE]

VAR_DIR.mkdir(parents=True, exist_ok=True)
# Unless the environment names a broker, the project runs its own.
EMBEDDED_BROKER_SOCKET = None if "CELERY_BROKER_URL" in env else VAR_DIR / "broker.sock"
globals().update(
    broker_settings(
        env("CELERY_BROKER_URL", default=f"redis+socket://{EMBEDDED_BROKER_SOCKET}?virtual_host=0")
    )
)

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
ORDERS_REPORT_RECIPIENTS = env.list("ORDERS_REPORT_RECIPIENTS", default=["finance@backoffice.example"])

# `seed_demo` may fill the shop with logins whose passwords are published.
ORDERS_DEMO = True
# Passwords set here, the demo's among them, open nothing in production.
PASSWORD_HASHERS = ["backoffice.hashers.DevelopmentPasswordHasher"]
