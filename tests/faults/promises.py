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
RECOVERED = NOTHING_LOST_OR_DOUBLE | {"slowest s": 90}

SCHEDULER_POINTS = ("before commit", "after commit before hand-over", "published not marked")
WORKER_POINTS = ("received", "mid-effect", "effect committed not acked", "acked")


def _kill(point: str, *, whole_worker: bool = False) -> Measurement:
    who = _victim(point, whole_worker=whole_worker)
    return Measurement(
        name=f"kill-{who}-{point}".replace(" ", "-"),
        promises=("P2", "P3", "P7") if point in SCHEDULER_POINTS else ("P2", "P3"),
        fault=f"{who} killed: {point}",
        function="killing:kill_at",
        options={"point": point, "whole_worker": whole_worker},
        most=RECOVERED,
    )


def _victim(point: str, *, whole_worker: bool) -> str:
    if whole_worker:
        return "whole worker"
    if point in SCHEDULER_POINTS:
        return "scheduler"
    # It is the main process that acknowledges.
    return "worker main" if point == "acked" else "worker child"


MISSING = {
    "orders without payment details": 0,
    "orders without timeline": 0,
    "orders without follow-ups": 0,
    "users without profile": 0,
    "users without account": 0,
}

MEASUREMENTS = (
    Measurement(
        name="web-killed",
        promises=("P1",),
        fault="web killed at random instants while orders and customers are created",
        function="saving:kill_while_saving",
        most=MISSING | {"said to be saved and not": 0},
        n=100,
    ),
    Measurement(
        name="receiver-raises",
        promises=("P1",),
        fault="a receiver raises at the end of an order's save",
        function="saving:raise_while_saving",
        most=MISSING | {"half saved": 0, "others not saved": 0},
        n=50,
    ),
    *(_kill(point) for point in (*SCHEDULER_POINTS, *WORKER_POINTS)),
    *(_kill(point, whole_worker=True) for point in WORKER_POINTS),
    Measurement(
        name="redelivery",
        promises=("P3",),
        fault="every message comes three times, to two workers",
        function="redelivery:deliver_again",
        most=NOTHING_LOST_OR_DOUBLE,
        n=1000,
    ),
    *(
        Measurement(
            name=f"broker-{words}",
            promises=("P4", "P5"),
            fault=f"broker {words} while orders are saved, then back",
            function="broker:save_without",
            options={"frozen": words == "frozen"},
            most={"errors": 0, "ratio": 1.5, "lost": 0, "double": 0},
            n=100,
        )
        for words in ("stopped", "frozen")
    ),
    Measurement(
        name="broker-emptied",
        promises=("P6",),
        fault="FLUSHALL with 1,000 runs pending and 100 running",
        function="broker:forget_everything",
        most=NOTHING_LOST_OR_DOUBLE,
        n=1,
    ),
    Measurement(
        name="schedulers",
        promises=("P7",),
        fault="of three schedulers one is frozen for 60 s, the others are killed every 7 s",
        function="schedulers:fire_together",
        most={"missed": 0, "double": 0, "extra": 0},
        n=300,
    ),
    Measurement(
        name="downtime",
        promises=("P8",),
        fault="everything down for 30 min, 4 h and 3 days, at random moments",
        function="clocks:come_back_late",
        most={"wrong": 0},
        n=10,
    ),
    Measurement(
        name="daylight-saving",
        promises=("P9",),
        fault="both weekends on which the clocks change, in three zones",
        function="clocks:live_through_weekends",
        options={"jumps": False},
        most={"missed": 0, "double": 0, "extra": 0},
        n=6,
    ),
    Measurement(
        name="clock-jumps",
        promises=("P9",),
        fault="the same, while the scheduler's clock jumps an hour forth and back, and back and forth",
        function="clocks:live_through_weekends",
        options={"jumps": True},
        most={"missed": 0, "double": 0, "extra": 0},
        n=6,
    ),
    Measurement(
        name="edits",
        promises=("P10",),
        fault="schedules edited by save(), update() and SQL",
        function="edits:notice_edits",
        most={"over 5 s": 0},
        n=100,
    ),
    *(
        Measurement(
            name=f"poison-{how}",
            promises=("P11",),
            fault=words,
            function="poison:poison",
            options={"how": how},
            most={"with more or fewer": 0, "not failed": 0, "attempts not shown": 0},
            n=5,
        )
        for how, words in (
            ("kill", "tasks that kill the process they run in"),
            ("raise", "tasks that always raise"),
        )
    ),
    Measurement(
        name="database-stopped",
        promises=("P12",),
        fault="PostgreSQL ended as by a crash, and away for 30 s under load, three times",
        function="database:stop_database",
        most=NOTHING_LOST_OR_DOUBLE,
        backends=("postgresql",),
        n=3,
    ),
    Measurement(
        name="at-once",
        promises=("P14",),
        fault="200 members of staff create an order at the same moment",
        function="saving:create_at_once",
        most={"failures": 0, "not stored": 0},
        n=200,
    ),
    Measurement(
        name="retention",
        promises=("P15",),
        fault="100,000 runs in ten days, of which three are kept (five if they failed)",
        function="database:live_for_days",
        most={"growth after the plateau": 0, "unfinished deleted": 0, "left without their pair": 0},
        n=100_000,
    ),
)

EVERY_POINT = Measurement(
    name="kill-every-point",
    promises=("P2", "P3", "P7"),
    fault="one process after another killed at every point",
    function="killing:kill_everywhere",
    most=RECOVERED,
)
"""A quick one for the test suite: the long run has each point by itself."""
