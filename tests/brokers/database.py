"""A database of its own for each broker, used by this process and by those it starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import environ
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections


def make_sqlite(folder: Path) -> str:
    """Return the URL of a database that comes to be when it is used."""
    return f"sqlite:///{folder}/stage.sqlite3"


def make_postgresql(server: str, name: str) -> str:
    """Make an empty database on a server and return its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server.rpartition("/")[0] + f"/{name}"


@contextmanager
def use_database(url: str) -> Iterator[None]:
    """Let this process's models read and write another database, with all tables made in it."""
    before = connections[DEFAULT_DB_ALIAS]
    settings = {**before.settings_dict, "OPTIONS": {}, **environ.Env.db_url_config(url)}
    if url.startswith("sqlite"):
        settings["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    with mock.patch.dict(connections.settings, {DEFAULT_DB_ALIAS: settings}):
        del connections[DEFAULT_DB_ALIAS]
        forget_content_types()
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections[DEFAULT_DB_ALIAS].close()
            connections[DEFAULT_DB_ALIAS] = before
            forget_content_types()


def forget_content_types() -> None:
    """Forget their keys, which differ from database to database."""
    apps.get_model("contenttypes.ContentType").objects.clear_cache()
