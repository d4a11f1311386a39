"""What the writer has done, in its own words: each change that was committed, and whatever has ever been true."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RunPart:
    """All that a message says but for its status: of a run, in the order of the message's fields."""

    id_run: int
    study: str
    supplier: str
    labware: str
    root: str | None = None
    path: str | None = None
    secondary: str | None = None


@dataclass
class Ledger:
    """The writer's own book; `changes` counts commits by kind, all else is noted before its commit.

    What is noted and never committed makes the checker no stricter: it says what may have been seen, not what must be.
    `failed` counts the steps that a server refused or was away for, and by kind the changes given up. `audits` and
    `statuses` hold the ids whose commit was confirmed, so that the source itself can be checked.
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
