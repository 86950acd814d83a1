"""What became of an import: what was taken in, what was here already, what was refused and why."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from orders.importing.reading import Broken, Row


@dataclass
class Report:
    """The outcome of an import so far.

    Args:
        imported: how many, by kind: "customers", "orders", …
        unchanged: how many were here already, as the files have them.
        rejected: how many were refused; an order once, however many of its lines are broken.
        faults: why, a sentence for each broken line: file, number, reason.
    """

    imported: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def attempt[Record](self, convert: Callable[[Row], Record], row: Row) -> Record | None:
        """Return what a line says, or nothing and note its fault."""
        try:
            if row.fault:
                raise Broken(row.fault)
            return convert(row)
        except Broken as error:
            self.note_fault(row, str(error))
            return None

    def note_fault(self, row: Row, reason: str) -> None:
        """Say what is wrong with a line."""
        self.faults.append(f"{row.place}: {reason}")

    def summary(self) -> list[str]:
        """Return a table, a line for each kind under one of headings."""
        columns = {"imported": self.imported, "unchanged": self.unchanged, "rejected": self.rejected}
        kinds = dict.fromkeys(kind for counts in columns.values() for kind in counts)
        head = f"{'':<12}" + "".join(f"{name:>11}" for name in columns)
        return [
            head,
            *(f"{kind:<12}" + "".join(f"{c[kind]:>11,}" for c in columns.values()) for kind in kinds),
        ]
