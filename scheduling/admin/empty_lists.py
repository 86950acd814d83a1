"""What a list says that has no rows."""

from collections.abc import Mapping

from django.http import HttpRequest

SCHEDULES = {
    "": "Nothing is scheduled yet.",
    "staff": "Staff have scheduled nothing yet.",
    "code": "Code defines no schedule.",
    "paused": "No schedule is paused.",
    "late": "No schedule is late.",
    "never": "Every schedule has run.",
}
RUNS = {
    "": "Nothing has been due yet.",
    "waiting": "Nothing waits.",
    "running": "Nothing runs at the moment.",
    "failed": "Nothing has failed.",
    "done": "Nothing is done yet.",
    "cancelled": "Nothing was cancelled, missed or skipped.",
}
DELAYED = {"": "Nothing waits to run once."}


def empty_words(request: HttpRequest, words: Mapping[str, str], *, parameter: str = "") -> str:
    """Return what the open tab says if it is empty; nothing if more than the tab narrows the list.

    Args:
        words: by tab.
        parameter: what names the tab in the address.
    """
    return words.get(request.GET.get(parameter, ""), "") if set(request.GET) <= {parameter} else ""
