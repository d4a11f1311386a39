"""The target: reading its layout from the server, and saying what it lacks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.errors import Rejected
from janitor.table_sink.column import Column
from janitor.table_sink.indexes import PRIMARY, UniqueIndex
from janitor.table_sink.layout import Layout
from janitor.table_sink.mysql_columns import mysql_columns, mysql_indexes
from janitor.table_sink.sqlite_columns import sqlite_columns, sqlite_indexes

_VIEW = {
    "mysql": "SELECT 1 FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = :table AND table_type LIKE '%VIEW'",
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = :table AND type = 'view'",
}


@dataclass(frozen=True)
class Target:
    """The table that a sink writes to, and the columns that it must have; see `TableSink`."""

    url: URL
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    constants: Mapping[str, Any]
    owner: Mapping[str, Any]
    newer: str | None
    twins_by: str | None
    created_at: str | None
    updated_at: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that are written."""
        return (*self.columns, *self.constants, *self.owner, *filter(None, (self.created_at, self.updated_at)))


class Found:
    """What the server tells of a table. Names of columns may be asked for in any case."""

    def __init__(
        self, columns: Mapping[str, Column], indexes: Sequence[UniqueIndex], *, is_view: bool, packet: int
    ) -> None:
        self.columns = {name.lower(): column for name, column in columns.items()}
        self.indexes, self.is_view, self.packet = indexes, is_view, packet

    def column(self, name: str) -> Column:
        """The column of that name, as the server writes it."""
        return self.columns[name.lower()]

    def of(self, names: Iterable[str]) -> tuple[Column, ...]:
        """The columns of these names."""
        return tuple(map(self.column, names))

    def is_unique(self, names: Iterable[str]) -> bool:
        """Whether a unique index has these columns, and no other."""
        return any(index.whole and _same(index.columns, names) for index in self.indexes)


def found(connection: Connection, table: str) -> Found:
    """What the server tells of a table; no columns if it is missing or hidden."""
    sqlite = connection.dialect.name == "sqlite"
    view = connection.execute(text(_VIEW["sqlite" if sqlite else "mysql"]), {"table": table}).first()
    return Found(
        (sqlite_columns if sqlite else mysql_columns)(connection, table),
        (sqlite_indexes if sqlite else mysql_indexes)(connection, table),
        is_view=view is not None,
        packet=0 if sqlite else int(connection.execute(text("SELECT @@max_allowed_packet")).scalar_one()),
    )


def layout_of(target: Target) -> Layout:
    """The target's layout, as the server states it.

    Raises:
        Rejected: the target lacks something; the error says what.
    """
    with databases.read(target.url) as connection:
        there = found(connection, target.table)
    if lack := _lack(target, there):
        raise Rejected(lack)
    keys = tuple(column.name for column in there.of(target.key))
    for name in keys:
        # A row is found by its key, so a row without a key is refused, even if the table allows NULL.
        there.columns[name.lower()] = replace(there.column(name), nullable=False)
    own = there.of((*target.columns, *target.constants))
    return Layout(
        table=target.table,
        keys=keys,
        columns=(*own, *there.of(target.owner)),
        owner=tuple(column.name for column in there.of(target.owner)),
        walk=_walk(there, keys),
        created=there.column(target.created_at) if target.created_at else None,
        updated=there.column(target.updated_at) if target.updated_at else None,
        unique=tuple(
            columns
            for index in there.indexes
            if not _same(index.columns, keys)
            and (columns := tuple(column for column in own if column.name in index.columns))
        ),
        packet=there.packet,
    )


def _walk(there: Found, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The columns in whose order the table is walked: the primary key's, if they are numbers and texts."""
    primary = next((index.columns for index in there.indexes if index.name == PRIMARY), keys)
    return primary if all(column.kind in ("integer", "text") for column in there.of(primary)) else keys


def _same(some: Iterable[str], others: Iterable[str]) -> bool:
    return {name.lower() for name in some} == {name.lower() for name in others}


def _lack(target: Target, there: Found) -> str | None:
    """What the target lacks, as a sentence; None if it lacks nothing."""
    where, table = databases.place(target.url), target.table
    if not there.columns:
        hint = "check the database's name and the grants"
        return f"a table is missing at {where}: there is no {table}, or this user may not see it; {hint}"
    if there.is_view:
        return f"{table} at {where} is a view, and only a table can be written to: name the table behind it"
    for name in target.names:
        if name.lower() not in there.columns:
            hint = "this task was made for another table"
            return f"a column is missing at {where}: {table} has no {name}; {hint}"
    inexact = [column for column in there.of(target.names) if column.kind == "unsupported"]
    if inexact:
        told = " and ".join(f"{table}.{column.name} at {where} is {column.declared}" for column in inexact)
        return f"{told}, which cannot be compared exactly"
    for name in (*target.key, *filter(None, (target.newer, target.twins_by))):
        if name.lower() not in {column.lower() for column in target.columns}:
            return f"{table} at {where} cannot be written to: this task gives no {name}, and its rows are told by it"
    if not there.is_unique(target.key):
        keys = target.key[0] + " alone" if len(target.key) == 1 else f"{', '.join(target.key)} together"
        return f"{table} at {where} has no unique index on {keys}; create one"
    fixed = {**target.constants, **target.owner}
    misfits = (there.column(name).misfit(there.column(name).prepared([value])[0]) for name, value in fixed.items())
    misfit = next(filter(None, misfits), None)
    return f"{table} at {where} does not take this task's rows: {misfit}" if misfit else None
