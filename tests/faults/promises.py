"""What is promised, by which measurement it is tried, and which figures keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BOTH = ("sqlite", "postgresql")

PROMISES = {
    "P1": "No committed order lacks its payment details, no user its profile and account.",
    "P2": "A follow-up that was committed runs at least once.",
    "P3": "The database effect of a run happens at most once.",
    "P4": "Orders are saved while the broker is down, or accepts and never answers.",
    "P5": "Nothing that became due while the broker was away is lost.",
    "P6": "Pending and running work survives the loss of the broker's whole memory.",
    "P7": "Several schedulers start each occurrence once.",
    "P8": "Runs missed while everything was down follow their schedule's policy.",
    "P9": "Clock changes are harmless.",
    "P10": "An edit of a schedule counts within 5 seconds, however it was made.",
    "P11": "A task that kills its worker or always raises stops after its attempts, and is visible.",
    "P12": "A database outage loses nothing.",
    "P14": "200 orders created at once are all created.",
    "P15": "Storage stays bounded.",
}


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One fault, inflicted on one set of servers.

    Args:
        name: as the command line takes it.
        promises: those it tries.
        fault: what is done, in words.
        function: "module:function" under `tests.faults.measure`.
        options: its keyword arguments besides the stage and the number.
        most: the greatest value that keeps the promise, by figure.
        backends: where it makes sense.
        n: how many times the fault is inflicted, or None for as often as the command line says.
    """

    name: str
    promises: tuple[str, ...]
    fault: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    most: Mapping[str, float]
    backends: tuple[str, ...] = BOTH
    n: int | None = None

    def broken(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Return the figures that miss the promise."""
        return {name: figures[name] for name, most in self.most.items() if figures[name] > most}


NOTHING_LOST_OR_DOUBLE = {"lost": 0, "double": 0, "extra": 0}
RECOVERED = NOTHING_LOST_OR_DOUBLE | {"recovery max s": 90}

SCHEDULER_POINTS = ("before commit", "after commit before hand-over", "published not marked")
WORKER_POINTS = ("received", "mid-effect", "effect committed not acked", "acked")


def _kill(point: str, *, whole_worker: bool = False) -> Measurement:
    who = "whole worker" if whole_worker else "scheduler" if point in SCHEDULER_POINTS else "worker child"
    return Measurement(
        name=f"kill-{who}-{point}".replace(" ", "-"),
        promises=("P2", "P3", "P7") if point in SCHEDULER_POINTS else ("P2", "P3"),
        fault=f"{who} killed: {point}",
        function="killing:kill_at",
        options={"point": point, "whole_worker": whole_worker},
        most=RECOVERED,
    )


MEASUREMENTS = (
    *(_kill(point) for point in (*SCHEDULER_POINTS, *WORKER_POINTS)),
    *(_kill(point, whole_worker=True) for point in WORKER_POINTS),
)
