"""What can go wrong when work is planned or run. Each docstring is the message; the detail follows it."""

from django.db import InterfaceError, OperationalError

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What is raised when the database is gone, or two transactions got in each other's way."""


class SchedulingError(Exception):
    """The work could not be scheduled."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{type(self).__doc__} {f'({detail})' if detail else ''}".strip())


class AlreadyRan(SchedulingError):
    """Work planned under this key has run already; plan it again under another key."""


class NotPlanned(SchedulingError):
    """Nothing waits under this key."""


class NotEnded(SchedulingError):
    """What waits or runs cannot be run again; wait for its end, or cancel or stop it."""


class InvalidPlan(SchedulingError, ValueError):
    """The work cannot be planned as given."""


class UnknownTask(SchedulingError):
    """The code has no such task: it was taken out, or this process runs older code."""


class UnreadableRow(SchedulingError):
    """Its row in the database cannot be read: it was written past everything that would have refused it."""


class OwnedByCode(SchedulingError):
    """It is defined in code: staff may pause it, but not change it."""


class NothingToSkip(SchedulingError):
    """No run of this schedule is to come."""


class ClaimLost(SchedulingError):
    """This attempt was given up for lost and another one has taken its place, so its effect is undone."""


class AlreadyDone(SchedulingError):
    """A task's effect was committed with its success: it can have no second one, and is not tried again."""


class ProgressInTransaction(SchedulingError):
    """Progress written inside a transaction is seen only when it ends; declare the task `atomic = False`."""
