"""P2, P3, P7: processes are killed at every point of the way; nothing is lost, nothing done twice."""

from collections.abc import Iterator, Sequence

from tests.faults import failpoints
from tests.faults.cluster import Cluster, wait_until
from tests.faults.counting import count, plan_effects, unfinished, wait_for_quiet
from tests.faults.stage import Stage

REACH_SECONDS = 120
QUIET_SECONDS = 600
CHILDREN = 6
IN_FLIGHT = {False: 12, True: 60}
"""Runs that may be under way at the next kill, of a worker or of a scheduler.

Celery keeps a killed child's place for ten seconds, and a killed scheduler's lease lasts for thirty: with
more, the time in a queue would be taken for recovery.
"""


def kill_at(stage: Stage, n: int, *, point: str, whole_worker: bool) -> dict[str, float]:
    """Kill a process at one point, again and again, while work goes on.

    Args:
        n: how many processes to kill.
        point: one of `failpoints.POINTS`.
        whole_worker: kill the worker's main process and its children together.

    Raises:
        TimeoutError: the point was not reached, so that nothing was measured.
    """
    return _kill([(point, whole_worker)] * n)


def kill_everywhere(stage: Stage, n: int) -> dict[str, float]:
    """Kill processes at every point in turn.

    Args:
        n: how often at each.
    """
    whole_workers = [(point, True) for point in failpoints.WORKER]
    return _kill([*((point, False) for point in failpoints.POINTS), *whole_workers] * n)


def _kill(points: Sequence[tuple[str, bool]]) -> dict[str, float]:
    whole_workers = all(whole for _, whole in points)
    with Cluster() as cluster:
        for name in ("one", "two"):
            cluster.add_scheduler(f"scheduler-{name}")
            cluster.add_worker(f"worker-{name}", concurrency=2 if whole_workers else CHILDREN)
        cluster.wait_until_alive()
        planned = list(_kill_in_turn(points))
        wait_for_quiet(planned, seconds=QUIET_SECONDS)
        return count(planned)


def _kill_in_turn(points: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """Inflict the kills, and yield what is planned meanwhile."""
    for kill, (point, whole_worker) in enumerate(points):
        failpoints.arm(point, whole_worker=whole_worker)
        yield from plan_effects(f"{point}-{kill}-{number}" for number in range(2))
        _wait_for_kills(kill + 1, point)
        _wait_for_room(IN_FLIGHT[point in failpoints.SCHEDULER])


def _wait_for_kills(kills: int, point: str) -> None:
    if not wait_until(lambda: len(failpoints.fired()) >= kills, seconds=REACH_SECONDS):
        raise TimeoutError(f"no process reached “{point}” for kill {kills}")


def _wait_for_room(most: int) -> None:
    wait_until(lambda: unfinished() < most, seconds=REACH_SECONDS)
