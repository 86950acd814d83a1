"""The effects of the tasks under fault."""

from typing import ClassVar

from django.db import models


class Effect(models.Model):
    """How often the effect of (order, kind, occurrence) was committed: more than once is double."""

    order = models.CharField(max_length=100)
    kind = models.CharField(max_length=50)
    occurrence = models.CharField(max_length=50)
    times = models.PositiveIntegerField(default=1)
    committed_at = models.FloatField()

    objects: ClassVar["models.Manager[Effect]"] = models.Manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["order", "kind", "occurrence"], name="effects_once"),)

    def __str__(self) -> str:
        return f"{self.order} {self.kind} {self.occurrence}"
