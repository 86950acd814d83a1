"""Tracebacks for people: our own frames first, the libraries' behind them."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.functional import cached_property

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)$')
_LIBRARIES = ("site-packages", "dist-packages", "/lib/python")


@dataclass
class Frame:
    """One call of a traceback."""

    file: str
    line: str
    function: str
    code: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is the project's code, not a library's."""
        return Path(self.file).is_relative_to(settings.BASE_DIR) and not any(
            part in self.file for part in _LIBRARIES
        )

    @property
    def shown_file(self) -> str:
        """The file, from the project's folder or from the library's."""
        if self.ours:
            return str(Path(self.file).relative_to(settings.BASE_DIR))
        return re.sub(r"^.*/(?:site|dist)-packages/", "", self.file)


class Traceback:
    """A traceback's text, and what can be read in it."""

    def __init__(self, text: str) -> None:
        """Read a text as Python writes it."""
        self.text = text

    @cached_property
    def frames(self) -> list[Frame]:
        """Every call, outermost first; of chained exceptions one after the other."""
        frames: list[Frame] = []
        for line in self.text.splitlines():
            if found := _FRAME.match(line):
                frames.append(Frame(**found.groupdict()))
            elif frames and not frames[-1].code and line.startswith("    "):
                frames[-1].code = line.strip()
        return frames

    @property
    def ours(self) -> list[Frame]:
        """The calls in the project's own code, innermost first: where to look."""
        return [frame for frame in reversed(self.frames) if frame.ours]


def read_traceback(text: str | None) -> Traceback | None:
    """Return what can be read in a traceback's text, if there is one."""
    return Traceback(text) if text and text.strip() else None
