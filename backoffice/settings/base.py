"""What every environment shares."""

from datetime import timedelta
from pathlib import Path

import environ
from django.utils.csp import CSP

from backoffice.settings.celery import *
from backoffice.settings.databases import database_settings
from backoffice.settings.unfold import UNFOLD as UNFOLD

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "backoffice",
    "orders",
    "scheduling",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Alpine, which the theme is built with, evaluates its attributes: that is what `unsafe-eval` is for.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "frame-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
}

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": database_settings(env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/backoffice.sqlite3"))
}

# Where the project's own broker listens, for settings that run one.
EMBEDDED_BROKER_SOCKET: Path | None = None

AUTH_USER_MODEL = "orders.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"

# All to the standard error stream, where process managers and containers read it; Django's own
# default says nothing of an error there unless DEBUG is set.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"django": {"handlers": []}},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The currency whose figures come first; others stand beside it, never added to it.
MAIN_CURRENCY = env("MAIN_CURRENCY", default="EUR")

# The shop. Terms, reminder and grace are days.
ORDERS_DEMO = False
ORDERS_SHOP_NAME = env("SHOP_NAME", default="Backoffice")
ORDERS_PAYMENT_TERMS_DAYS = env.int("ORDERS_PAYMENT_TERMS_DAYS", default=7)
ORDERS_REMINDER_DAYS_BEFORE_DUE = env.int("ORDERS_REMINDER_DAYS_BEFORE_DUE", default=1)
ORDERS_CANCEL_DAYS_AFTER_DUE = env.int("ORDERS_CANCEL_DAYS_AFTER_DUE", default=7)
ORDERS_REPORT_RECIPIENTS = env.list("ORDERS_REPORT_RECIPIENTS", default=[])
ORDERS_KEEP_EVENTS = timedelta(days=env.int("ORDERS_KEEP_EVENTS_DAYS", default=3 * 365))
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Backoffice <shop@backoffice.example>")
