"""The effects of the tasks under fault."""

from django.db import models


class Effect(models.Model):
    """One row for each (order, kind, occurrence), and how often it was committed: more than once is double."""

    order = models.CharField(max_length=100)
    kind = models.CharField(max_length=50)
    occurrence = models.CharField(max_length=50)
    times = models.PositiveIntegerField(default=1)
    committed_at = models.FloatField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["order", "kind", "occurrence"], name="effects_once"),)

    def __str__(self) -> str:
        return f"{self.order} {self.kind} {self.occurrence}"
