"""Free pages of a SQLite file: what deleted rows leave behind is given back to the disk, a little at a time.

A file can give pages back if it was made so: `auto_vacuum` is set before its first table. An older file only reuses
them, until somebody lets SQLite write it anew.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection

INCREMENTAL = 2
SHARE = 10
"""A tenth of the file stays free: new runs need the pages again."""
LEAST = 1_000
"""So many pages may be free in the smallest file."""


def prepare_new_file(connection: sqlite3.Connection) -> None:
    """Let a new file be such that it can give pages back; any other file stays as it is."""
    # For a file that has pages, SQLite would wait for whoever writes.
    if _number(connection, "page_count") == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")


class FreePages:
    """A walk that gives pages back."""

    def step(self, connection: Connection, most: int) -> int | None:
        """Give up to so many pages back; how many. None if no more are to spare, or if the file cannot."""
        if connection.dialect.name != "sqlite":
            return None
        driver: Any = connection.connection.driver_connection
        spare = _number(driver, "freelist_count") - max(LEAST, _number(driver, "page_count") // SHARE)
        if _number(driver, "auto_vacuum") != INCREMENTAL or spare <= 0:
            return None
        count = min(most, spare)
        for _ in range(count):
            # Of more than one page, Python's driver lets SQLite give back the first.
            driver.execute("PRAGMA incremental_vacuum(1)").close()
        return count


def _number(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
