"""Named points at which a process kills itself, once for each time it was armed.

A point is armed by a file. Whoever reaches it first renames the file, which only one process can do,
and dies of SIGKILL: nothing is flushed, rolled back or handed on.
"""

import functools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import current_task
from django.conf import settings

SCHEDULER = ("before commit", "after commit before hand-over", "published not marked")
WORKER = ("received", "mid-effect", "effect committed not acked", "acked")
POINTS = SCHEDULER + WORKER


def folder() -> Path:
    """Where the arming files are."""
    return Path(settings.VAR_DIR) / "failpoints"


def arm(point: str, *, whole_worker: bool = False) -> None:
    """Let the next process that reaches the point die, or its whole process group."""
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / point).write_text("group" if whole_worker else "process")


def disarm() -> None:
    """Take back what was armed and not reached."""
    for point in (*POINTS, "always"):
        (folder() / point).unlink(missing_ok=True)


def fired() -> list[float]:
    """Return when processes died, oldest first."""
    return sorted(float(path.name.split("@")[1]) for path in folder().glob("*@*"))


def not_hit_before(*_: Any) -> bool:
    """Whether the run that this process works on met no kill yet: recovery is timed for one, not five."""
    return not current_task or not _hit(current_task.request.id).exists()


def _hit(task_id: str) -> Path:
    return folder() / f"hit-{task_id}"


def reach(point: str) -> None:
    """Die here if the point is armed."""
    armed = folder() / point
    try:
        whole = armed.read_text() == "group"
        if point != "always":
            armed.rename(folder() / f"{point}@{time.time()}@{os.getpid()}")
    except FileNotFoundError:
        return
    if current_task:
        _hit(current_task.request.id).touch()
    if whole:
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Put the points that lie outside the tasks under test into the code they name."""
    from celery.worker.request import Request

    from scheduling import due, execution, publisher

    before(due, "delete_one_offs", "before commit")
    before(publisher.Publisher, "put", "after commit before hand-over", when=lambda self, runs: bool(runs))
    before(publisher, "mark_published", "published not marked")
    before(execution, "claim", "received", when=not_hit_before)
    after(execution.Task, "_run_atomically", "effect committed not acked")
    after(Request, "acknowledge", "acked")


def before(owner: Any, name: str, point: str, when: Callable[..., bool] = lambda *args: True) -> None:
    """Have a function reach the point before it does anything."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def reaching(*args: Any, **kwargs: Any) -> Any:
        if when(*args):
            reach(point)
        return original(*args, **kwargs)

    setattr(owner, name, reaching)


def after(owner: Any, name: str, point: str) -> None:
    """Have a function reach the point when it has returned."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def reaching(*args: Any, **kwargs: Any) -> Any:
        returned = original(*args, **kwargs)
        reach(point)
        return returned

    setattr(owner, name, reaching)
