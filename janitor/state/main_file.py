"""The main file of a state database on SQLite, read without its journal: whether somebody has overwritten it.

    cp backup.db state.db       the path leads to the same file as before, and the file has another content

SQLite does not notice: it goes on with its journal and with what it has in memory, and mixes both databases. Only a
checkpoint of SQLite changes the main file, and it never makes it older. So the identity in it is looked at, each time
that the file has changed: it must be that of the state database, and never have a lower age than before.

While a checkpoint writes its pages, the file may be unreadable: its first page tells of pages that are still to come.
A large checkpoint takes many seconds, and a process may be killed in it: then the next process does it anew. So a file
counts as spoilt only if it stays unreadable, and nobody writes to it.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from janitor.state.identity import Identity

STILL_LOOKS = 30
"""In so many looks in a row, a second apart, a file must be unreadable and unchanged. The identity's next beat comes
within that time: it does a checkpoint anew that was cut off."""


class MainFile:
    """Looks at a main file again and again."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._age: tuple[int, int] | None = None
        self._unreadable: tuple[int, int] | None = None
        self._still = 0

    def is_overwritten(self, known: Identity) -> bool:
        """Whether the file has another content than the state database that is `known`; False if nobody can tell."""
        seen = self._stat()
        if seen is None or seen == self._seen:
            return False
        try:
            row = self._row()
        except sqlite3.Error:
            self._still = self._still + 1 if seen == self._unreadable else 1
            self._unreadable = seen
            return self._still >= STILL_LOOKS and self._age is not None
        if seen != self._stat():
            return False  # it was written to meanwhile, and may be half old and half new
        before, self._seen, self._unreadable = self._age, seen, None
        if row is None:
            return before is not None
        self._age = row[1], row[2]
        return row[0] != known.id or (before is not None and self._age < before)

    def _stat(self) -> tuple[int, int] | None:
        """When the file was written last, and its size; None if nobody can tell."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _row(self) -> tuple[str, int, int] | None:
        # Immutable: neither the journal is read, nor a lock taken.
        with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?immutable=1", uri=True)) as alone:
            found: tuple[str, int, int] | None = alone.execute("SELECT id, generation, beat FROM identity").fetchone()
            return found
