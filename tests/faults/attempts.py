"""The log of attempts: a file that is only ever appended to, outside every transaction."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings


def log_path() -> Path:
    """Where the log is."""
    return Path(settings.VAR_DIR) / "attempts.jsonl"


def log_attempt(task_id: str, order: str, what: str) -> None:
    """Append one line in one write, which a kill cannot tear."""
    line = json.dumps(
        {"task_id": task_id, "order": order, "what": what, "pid": os.getpid(), "at": time.time()}
    )
    descriptor = os.open(log_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def read_attempts() -> Iterator[dict[str, Any]]:
    """Yield what was logged, oldest first."""
    if log_path().exists():
        with log_path().open() as lines:
            yield from map(json.loads, lines)
