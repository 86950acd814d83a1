"""P2, P3, P7: processes are killed at every point of the way; nothing is lost, nothing done twice."""

from tests.faults import failpoints
from tests.faults.cluster import Cluster, wait_until
from tests.faults.counting import count, plan_effects, wait_for_quiet
from tests.faults.stage import Stage

REACH_SECONDS = 120
QUIET_SECONDS = 600


def kill_at(stage: Stage, n: int, *, point: str, whole_worker: bool) -> dict[str, float]:
    """Kill a process at one point, again and again, while work goes on.

    Args:
        n: how many processes to kill.
        point: one of `failpoints.POINTS`.
        whole_worker: kill the worker's main process and its children together.

    Raises:
        TimeoutError: the point was not reached, so that nothing was measured.
    """
    planned: list[str] = []
    with Cluster() as cluster:
        for name in ("one", "two"):
            cluster.add_scheduler(f"scheduler-{name}")
            cluster.add_worker(f"worker-{name}")
        cluster.wait_until_alive()
        for kill in range(n):
            failpoints.arm(point, whole_worker=whole_worker)
            planned += plan_effects(f"{point}-{kill}-{number}" for number in range(2))
            _wait_for_kill(point, kill + 1)
        wait_for_quiet(planned, seconds=QUIET_SECONDS)
        return count(planned)


def _wait_for_kill(point: str, kills: int) -> None:
    if not wait_until(lambda: len(failpoints.fired()) >= kills, seconds=REACH_SECONDS):
        raise TimeoutError(f"no process reached “{point}” for kill {kills}")
