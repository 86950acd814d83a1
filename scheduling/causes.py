"""Why runs failed: a line for people, and a digest that failures of one cause have in common."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from scheduling.encoding import printable

ERROR_LENGTH = 300
"""Of the line that is kept."""

_VARYING = re.compile(
    r"""
    "[^"]*" | '[^']*'                                     # what is quoted
    | \S+@\S+                                             # addresses, workers' names
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b     # ids
    | 0x[0-9a-f]+ | \d+                                   # numbers
    """,
    re.VERBOSE | re.IGNORECASE,
)


def error_line(stored: Mapping[str, Any]) -> str:
    """Return an exception, as Celery stores it, in a line: "ConnectionRefusedError: SMTP refused"."""
    message = stored.get("exc_message", "")
    words = ", ".join(map(str, message)) if isinstance(message, list | tuple) else str(message)
    kind = str(stored.get("exc_type", ""))
    line = words if kind == "NotRun" else f"{kind}: {words}" if words else kind
    return printable(line)[:ERROR_LENGTH]


def digest_of(task_name: str | None, error: str) -> str:
    """Return the same digest for failures of one cause.

    Of one cause are failures of the same task whose errors differ only in numbers, ids, addresses and
    what they quote.

    Args:
        error: the line that `error_line` makes.
    """
    shape = _VARYING.sub("…", error)
    return hashlib.blake2b(f"{task_name}|{shape}".encode(), digest_size=8).hexdigest()
