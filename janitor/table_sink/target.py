"""The target: reading its layout from the server, and saying what it lacks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import URL

from janitor import databases
from janitor.errors import Rejected
from janitor.table_sink.column import Column
from janitor.table_sink.layout import Layout
from janitor.table_sink.mysql_columns import mysql_columns, mysql_unique
from janitor.table_sink.sqlite_columns import sqlite_columns, sqlite_unique


@dataclass(frozen=True)
class Target:
    """The table that a sink writes to, and the columns that it must have; see `TableSink`."""

    url: URL
    table: str
    key: str
    columns: tuple[str, ...]
    owner: Mapping[str, Any]
    created_at: str | None
    updated_at: str | None


def layout_of(target: Target) -> Layout:
    """The target's layout, as the server states it.

    Raises:
        Rejected: the target lacks something; the error says what.
    """
    sqlite = databases.family(target.url) == "sqlite"
    with databases.read(target.url) as connection:
        columns = (sqlite_columns if sqlite else mysql_columns)(connection, target.table)
        unique = (sqlite_unique if sqlite else mysql_unique)(connection, target.table)
    if lack := _lack(target, columns, unique):
        raise Rejected(lack)
    primary = next((name for name, index in unique.items() if index == "PRIMARY"), target.key)
    # A row is found by its key, so a row without a key is refused, even if the table allows NULL.
    columns[target.key] = replace(columns[target.key], nullable=False)
    return Layout(
        table=target.table,
        key=target.key,
        columns=tuple(columns[name] for name in (*target.columns, *target.owner)),
        owner=tuple(target.owner),
        walk=primary if columns[primary].kind in ("integer", "text") else target.key,
        created=columns[target.created_at] if target.created_at else None,
        updated=columns[target.updated_at] if target.updated_at else None,
    )


def _lack(target: Target, columns: Mapping[str, Column], unique: Mapping[str, str]) -> str | None:
    """What the target lacks, as a sentence; None if it lacks nothing."""
    where, table = databases.place(target.url), target.table
    if not columns:
        hint = "check the database's name and the grants"
        return f"a table is missing at {where}: there is no {table}, or this user may not see it; {hint}"
    for name in (*target.columns, *target.owner, *filter(None, (target.created_at, target.updated_at))):
        if name not in columns:
            hint = "this task was made for another table"
            return f"a column is missing at {where}: {table} has no {name}; {hint}"
        if columns[name].kind == "unsupported":
            return f"{table}.{name} at {where} is {columns[name].declared}, which cannot be compared exactly"
    if target.key not in unique:
        return f"{table} at {where} has no unique index on {target.key} alone; create one"
    misfit = next(filter(None, (columns[name].misfit(value) for name, value in target.owner.items())), None)
    return f"{table} at {where} does not take this task's rows: {misfit}" if misfit else None
