"""The main file of a state database on SQLite, read without its journal: whether somebody has overwritten it.

    cp backup.db state.db       the path leads to the same file as before, and the file has another content

SQLite does not notice: it goes on with its journal and with what it has in memory, and mixes both databases. Only a
checkpoint of SQLite changes the main file, and it never makes it older. So the identity in it is looked at, each time
that the file has changed: it must be that of the state database, and never have a lower age than before.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from janitor.state.identity import Identity

IN_A_ROW = 3
"""So often a file must be unreadable: a checkpoint may be under way."""


class MainFile:
    """Looks at a main file again and again."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._age: tuple[int, int] | None = None
        self._failed = 0

    def is_overwritten(self, known: Identity) -> bool:
        """Whether the file has another content than the state database that is `known`; False if nobody can tell."""
        try:
            found = os.stat(self._path)
        except OSError:
            return False
        seen = found.st_mtime_ns, found.st_size
        if seen == self._seen:
            return False
        try:
            row = self._row()
        except sqlite3.Error:
            self._failed += 1
            return self._failed >= IN_A_ROW and self._age is not None
        before, self._seen, self._failed = self._age, seen, 0
        if row is None:
            return before is not None
        self._age = row[1], row[2]
        return row[0] != known.id or (before is not None and self._age < before)

    def _row(self) -> tuple[str, int, int] | None:
        # Immutable: neither the journal is read, nor a lock taken.
        with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?immutable=1", uri=True)) as alone:
            found: tuple[str, int, int] | None = alone.execute("SELECT id, generation, beat FROM identity").fetchone()
            return found
