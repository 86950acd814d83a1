"""Imported once in the fork server, so that a killed process is replaced in a moment."""

import django

django.setup()

from backoffice.celery import app  # noqa: E402

app.loader.import_default_modules()
app.finalize()
