"""What the archive bills: a row for each call, and the roller that moves old rows to a file for each day."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from janitor.runs import current_run

TABLE = "CREATE TABLE IF NOT EXISTS usage (id INTEGER PRIMARY KEY, at TEXT, name TEXT, call TEXT)"
KEPT = timedelta(minutes=1)
"""Older rows go to a file."""
TOGETHER = 500
_folder: list[Path] = []


def keep_in(folder: Path) -> None:
    """Keep the rows, and the files of old rows, in a folder."""
    _folder[:] = [folder]


def note_use(name: str, call: str) -> None:
    """Note one call of the archive."""
    with _opened() as database:
        at = datetime.now(timezone.utc).isoformat()
        database.execute("INSERT INTO usage (at, name, call) VALUES (?, ?, ?)", (at, name, call))


def roll(kept: timedelta = KEPT) -> dict[str, int]:
    """Move rows that are old to a file for each day, some hundred at a time; a row may stand there twice.

    It is in the file, on disk, before it leaves the table. So nothing is lost if this is killed between the two.
    """
    before, rolled = (datetime.now(timezone.utc) - kept).isoformat(), 0
    while rows := _old(before):
        current_run().progress(rolled)
        if current_run().dry_run:
            return {"rolled": len(rows)}
        _append(rows)
        with _opened() as database:
            database.executemany("DELETE FROM usage WHERE id = ?", [(row[0],) for row in rows])
        rolled += len(rows)
    return {"rolled": rolled}


def _old(before: str) -> list[tuple[int, str, str, str]]:
    with _opened() as database:
        query = "SELECT id, at, name, call FROM usage WHERE at < ? ORDER BY id LIMIT ?"
        return list(database.execute(query, (before, TOGETHER)))


def _append(rows: list[tuple[int, str, str, str]]) -> None:
    for day in sorted({at[:10] for _, at, _, _ in rows}):
        path = _folder[0] / f"usage-{day}.csv"
        with open(path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(row for row in rows if row[1].startswith(day))
            file.flush()


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    """The table, in a transaction of its own."""
    with closing(sqlite3.connect(_folder[0] / "usage.db", timeout=30)) as database:
        with database:
            database.execute(TABLE)
            yield database
