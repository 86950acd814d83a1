"""Rows that are written once: what happened with money is corrected by a further entry, never edited."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(Exception):
    """An entry cannot be changed or deleted: add one that corrects it."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class AppendOnlyQuerySet[Row: models.Model](models.QuerySet[Row]):
    """A query set that only reads and adds."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError


class AppendOnly(models.Model):
    """A row that can be added and read, but neither changed nor deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to change it afterwards.

        Raises:
            AppendOnlyError: The row is already stored.

        """
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError
