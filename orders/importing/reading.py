"""Reading the CSV files as they are: line by line, so that a broken one spoils no other."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NOTHING = "NULL"


class Unreadable(Exception):
    """A file, or the whole directory, is not what can be imported."""


class Broken(Exception):
    """A line cannot be taken; the message says why."""


@dataclass(frozen=True)
class Row:
    """One line of a file.

    Args:
        file: the file's name.
        line: its number, the header being line 1.
        values: text by column; a `NULL` is an empty text. Of a broken line only what could be read.
        fault: what is wrong with the line as a whole, in words, or nothing.
    """

    file: str
    line: int
    values: dict[str, str]
    fault: str = ""

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    @property
    def place(self) -> str:
        """Where the line stands, as editors and compilers write it."""
        return f"{self.file}:{self.line}"


def read(path: Path, columns: Sequence[str]) -> list[Row]:
    """Return the lines of a file, the broken ones with their fault.

    Args:
        columns: those it must have; others are ignored.

    Raises:
        Unreadable: there is no such file, its header is not UTF-8, or a column is missing.
    """
    try:
        with path.open("rb") as file:
            header = _header(path.name, file.readline(), columns)
            return [row for line, raw in enumerate(file, 2) for row in _row(path.name, line, raw, header)]
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from error


def _header(name: str, raw: bytes, columns: Sequence[str]) -> list[str]:
    values, fault = _split(raw.removeprefix(b"\xef\xbb\xbf"))
    missing = [column for column in columns if column not in values]
    if not fault and missing:
        fault = f"the column {missing[0]} is missing"
    if fault:
        raise Unreadable(f"{name}:1: {fault}")
    return values


def _row(name: str, line: int, raw: bytes, header: Sequence[str]) -> Iterator[Row]:
    if not raw.strip():
        return
    cells, fault = _split(raw)
    if not fault and len(cells) != len(header):
        fault = f"it has {len(cells)} columns, not {len(header)}"
    values = dict(zip(header, ("" if cell == NOTHING else cell for cell in cells), strict=False))
    yield Row(name, line, values, fault)


def _split(raw: bytes) -> tuple[list[str], str]:
    """Return the cells of a line as far as it can be read, and what is wrong with it."""
    text, fault = raw.decode(errors="replace").rstrip("\r\n"), ""
    try:
        raw.decode()
        cells = next(csv.reader([text], strict=True), [])
    except UnicodeDecodeError:
        cells, fault = text.split(","), "it is not UTF-8"
    except csv.Error as error:
        cells, fault = text.split(","), f"it is not CSV: {error}"
    return _rejoined(cells), fault


def _rejoined(cells: Sequence[str]) -> list[str]:
    """Put texts together again that hold a comma and were not quoted.

    In these files a comma that separates is never followed by a blank: "2, rue du Commerce" is one cell.
    """
    whole: list[str] = []
    for cell in cells:
        if whole and cell.startswith(" "):
            whole[-1] += f",{cell}"
        else:
            whole.append(cell)
    return whole
