"""Rows that are stored together with all that their receivers write, or not at all."""

from typing import Any

from django.db import models, transaction


class SavedWhole(models.Model):
    """A row whose save is one transaction with what follows from it.

    Django commits a row that is saved outside a transaction before it sends `post_save`: a receiver
    that raises, or a process that is killed there, would leave an order without payment details.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row and what its receivers write."""
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
