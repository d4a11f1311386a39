"""Backups: a copy of the state database as it was at one moment, made while it is in use, and checked.

    a file        SQLite copies it page by page, in one reading transaction: no writer waits, and no writer disturbs it
    a server      one reading transaction with a snapshot; each table is read in pages, in the order of its key

Either way the copy is a SQLite file, which is whole or not there: it has another name until it is checked and on disk.
It is a state database like any other. So it can be looked at, and a daemon can start on it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    insert,
    inspect,
    literal,
    or_,
    select,
    tuple_,
)

from janitor.databases.places import family
from janitor.errors import Rejected
from janitor.settings.paths import shown
from janitor.state.database import State
from janitor.state.tables import SCHEMA_VERSION, metadata

PAGES = 1_000
"""So many pages of a SQLite file are copied between two looks whether to go on."""
JOURNALS = ("-journal", "-wal", "-shm")
"""The endings of what SQLite keeps beside a file."""
ROWS = 2_000
"""So many rows of a server's table are copied at once."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made and checked."""

    path: Path
    bytes: int
    runs: int
    newest_run: int

    def __str__(self) -> str:
        size = f"{self.bytes:,} bytes" if self.bytes < 1_000_000 else f"{self.bytes / 1e6:,.1f} MB"
        what = f"{size}, {self.runs:,} run{'' if self.runs == 1 else 's'}, the newest is {self.newest_run}"
        return f"{shown(self.path)} holds the state database: {what}"


def back_up(state: State, path: Path, check: Callable[[], None] = lambda: None) -> Backup:
    """Copy the state database into a SQLite file, which is made or replaced; the file that was there stays until then.

    `check` is called now and then; it raises to end the copying.

    Raises:
        Rejected: the copy cannot be written, or is not whole; nothing is at the path but what was there before.
        Unavailable: the state database is away.
    """
    if family(state.url) == "sqlite" and path.resolve() == Path(str(state.url.database)).resolve():
        raise Rejected(f"{shown(path)} is the state database itself: give another file for the backup")
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _told_as_backup(path), ExitStack() as cleaning:
        for suffix in ("", *JOURNALS):
            cleaning.callback(Path(f"{new}{suffix}").unlink, missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        if family(state.url) == "sqlite":
            _copy_file(state, new, check)
        else:
            _copy_tables(state, new, check)
        count, newest = _checked(new, path)
        sync(new)
        made = Backup(path, new.stat().st_size, count, newest)
        os.replace(new, path)
        # What a daemon has left that was started on the backup before.
        for suffix in JOURNALS:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        sync(path.parent)
    return made


def copy_rows(source: Connection, target: Connection, check: Callable[[], None] = lambda: None) -> None:
    """Copy every row into the tables of `target`, which are empty; their schema may be that of an earlier release.

    The source has that schema too. A migration that was cut off may have added more to it, without any rows that count.
    """
    inspector = inspect(target)
    for table in (table for table in metadata.sorted_tables if inspector.has_table(table.name)):
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for page in _pages(source, table, [column for column in table.columns if column.name in there]):
            check()
            target.execute(insert(table), page)


def _copy_file(state: State, new: Path, check: Callable[[], None]) -> None:
    with state.read() as connection, closing(sqlite3.connect(new)) as target:
        source: Any = connection.connection.driver_connection
        source.execute("BEGIN")
        try:
            # From the first read on, the transaction sees the file as it is now.
            source.execute("SELECT COUNT(*) FROM alembic_version").fetchone()
            source.backup(target, pages=PAGES, progress=lambda status, remaining, total: check())
        finally:
            source.execute("ROLLBACK")
        # Else the copy would have a journal beside it as soon as somebody looks at it.
        target.execute("PRAGMA journal_mode = DELETE")


def _copy_tables(state: State, new: Path, check: Callable[[], None]) -> None:
    copy = State(URL.create("sqlite", database=str(new)))
    copy.migrate(to=state.version() or SCHEMA_VERSION)
    with closing(copy), state.read() as source, copy.begin() as target:
        source.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        source.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            copy_rows(source, target, check)
        finally:
            source.exec_driver_sql("ROLLBACK")
    with closing(sqlite3.connect(new)) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")


def _pages(source: Connection, table: Table, columns: Sequence[Column[Any]]) -> Iterator[list[dict[str, Any]]]:
    keys, after = list(table.primary_key.columns), None
    while True:
        query = select(*columns).order_by(*keys).limit(ROWS)
        if after is not None:
            query = query.where(_beyond(keys, after, source.dialect.name))
        rows = source.execute(query).all()
        if rows:
            yield [dict(row._mapping) for row in rows]
        if len(rows) < ROWS:
            return
        after = tuple(getattr(rows[-1], key.name) for key in keys)


def _beyond(keys: Sequence[Column[Any]], after: Sequence[Any], dialect: str) -> ColumnElement[bool]:
    """What comes after a row in the order of its key, in the form for which the database uses the index."""
    if dialect == "sqlite":
        return tuple_(*keys) > tuple_(*(literal(value, key.type) for key, value in zip(keys, after, strict=True)))
    return or_(
        *(
            and_(*(keys[at] == after[at] for at in range(place)), keys[place] > after[place])
            for place in range(len(keys))
        )
    )


def _checked(new: Path, path: Path) -> tuple[int, int]:
    """Read the whole copy, and make sure that it is a state database; how many runs it has, and the newest."""
    with closing(sqlite3.connect(new)) as copy:
        wrong = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
        if wrong:
            raise Rejected(f"the backup {shown(path)} is not whole, and is not kept: {wrong[0]}")
        count, newest = copy.execute("SELECT COUNT(*), COALESCE(MAX(id), 0) FROM runs").fetchone()
        return int(count), int(newest)


@contextmanager
def _told_as_backup(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as exc:
        said = f"the backup {shown(path)} cannot be made: {exc}; check the path, and the room on its disk"
        raise Rejected(said) from exc


def sync(path: Path) -> None:
    """Let a file, or a folder's list of names, be on disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
