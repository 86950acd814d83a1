"""What a run returned or raised, as the text that Celery's result classes read."""

import json
import re
from math import isfinite
from typing import Any

from celery import current_app, states
from kombu.utils.json import dumps

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"

_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")


def check_json(value: Any) -> None:
    """Refuse what a JSON column of some database refuses, where it would stop the rows beside it.

    Raises:
        TypeError, ValueError: JSON has no such value, or PostgreSQL no such text.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    if _NUL.search(text):
        raise ValueError("text must not have NUL characters")


def encode(value: Any) -> str:
    """Return a task's return value as JSON, with Celery's own forms for dates, decimals and the like."""
    return dumps(value)


def as_json(value: Any) -> Any:
    """Return a value as JSON holds it: sent again, it arrives as it was."""
    return json.loads(dumps(value))


def storable(value: Any) -> Any:
    """Return a value of JSON with what no JSON column takes as text that one does: see `check_json`."""
    match value:
        case str():
            return printable(value)
        case float() if not isfinite(value):
            return str(value)
        case list():
            return [storable(one) for one in value]
        case dict():
            return {printable(name): storable(one) for name, one in value.items()}
    return value


def printable(text: str) -> str:
    """Return a text without what databases do not store: NUL characters, and halves of characters.

    Python keeps the bytes of a file name that is no text as such halves.
    """
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def encode_error(error: BaseException) -> str:
    """Return an exception as Celery stores it, so that `AsyncResult` raises it again."""
    return dumps(current_app.backend.encode_result(error, states.FAILURE))


def encode_words(words: str) -> str:
    """Return, in the same form, why something was never run."""
    return json.dumps(
        {
            "exc_type": "NotRun",
            "exc_message": [words],
            "exc_module": "scheduling.exceptions",
        }
    )


def decode_words(text: str) -> str:
    """Return the words that `encode_words` stored."""
    words: str = json.loads(text)["exc_message"][0]
    return words
