import importlib
import sys
from types import ModuleType

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from backoffice.settings import development

SECRETS = {
    "DJANGO_SECRET_KEY": "long enough for a test",
    "ALLOWED_HOSTS": "backoffice.example",
    "DATABASE_URL": "sqlite://:memory:",
    "CELERY_BROKER_URL": "redis://localhost",
    "EMAIL_URL": "smtp://localhost:25",
    "DEFAULT_FROM_EMAIL": "shop@backoffice.example",
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def production() -> ModuleType:
    sys.modules.pop("backoffice.settings.production", None)
    return importlib.import_module("backoffice.settings.production")


@pytest.mark.usefixtures("secrets")
def test_production_starts_with_its_secrets() -> None:
    assert production().DEBUG is False


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("name", SECRETS)
def test_production_refuses_to_start_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ImproperlyConfigured, match=name):
        production()


@pytest.mark.usefixtures("secrets")
def test_production_runs_neither_debug_toolbar_nor_a_broker_of_its_own() -> None:
    settings = production()
    assert "debug_toolbar" not in settings.INSTALLED_APPS
    assert settings.EMBEDDED_BROKER_SOCKET is None


@pytest.mark.usefixtures("secrets")
def test_production_sets_its_database_as_development_does() -> None:
    database = production().DATABASES["default"]
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["CONN_HEALTH_CHECKS"] is True


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("url", ["postgres://host/name?sslmode=require", "sqlite:///name?sslmode=require"])
def test_what_the_url_of_the_database_says_is_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert production().DATABASES["default"]["OPTIONS"]["sslmode"] == "require"


def test_development_accepts_the_passwords_set_in_it() -> None:
    with override_settings(PASSWORD_HASHERS=development.PASSWORD_HASHERS):
        assert check_password("demo", make_password("demo"))


@pytest.mark.usefixtures("secrets")
def test_production_accepts_no_password_set_in_development() -> None:
    with override_settings(PASSWORD_HASHERS=development.PASSWORD_HASHERS):
        encoded = make_password("demo")
    hashers = getattr(production(), "PASSWORD_HASHERS", global_settings.PASSWORD_HASHERS)
    with override_settings(PASSWORD_HASHERS=hashers):
        assert not check_password("demo", encoded)
