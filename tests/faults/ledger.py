"""The writer's own book: each committed change, and everything that was ever true."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RunPart:
    """What a message says apart from its status, in the order of its fields."""

    id_run: int
    study: str
    supplier: str
    labware: str
    root: str | None = None
    path: str | None = None
    secondary: str | None = None


@dataclass
class Ledger:
    """What the writer did. `changes` counts commits by kind; everything else is noted before its commit.

    A noted change that was never committed is harmless: the book says what may have been seen. `failed` counts the
    refused steps, and by kind the changes given up. `audits` and `statuses` hold the ids whose commit was confirmed:
    with them the source itself is checked.
    """

    changes: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    audits: set[int] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    statuses_ever: set[tuple[datetime, int, int]] = field(default_factory=set)
    parts_ever: set[RunPart] = field(default_factory=set)
    labwares_deleted: set[str] = field(default_factory=set)

    @property
    def made(self) -> int:
        """How many changes were committed."""
        return self.changes.total()
