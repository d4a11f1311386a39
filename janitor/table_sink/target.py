"""The target table's layout, and what it lacks."""

from collections.abc import Mapping
from dataclasses import replace

from janitor import databases
from janitor.errors import Rejected
from janitor.table_sink.columns import Column, Layout
from janitor.table_sink.mysql import mysql_columns, mysql_unique
from janitor.table_sink.sink import TableSink
from janitor.table_sink.sqlite import sqlite_columns, sqlite_unique


def layout_of(sink: TableSink) -> Layout:
    """The target's layout as the server states it, or a sentence on what it lacks."""
    sqlite = databases.family(sink.url) == "sqlite"
    with databases.read(sink.url) as connection:
        columns = (sqlite_columns if sqlite else mysql_columns)(connection, sink.table)
        unique = (sqlite_unique if sqlite else mysql_unique)(connection, sink.table)
    if lack := _lack(sink, columns, unique):
        raise Rejected(lack)
    primary = next((name for name, index in unique.items() if index == "PRIMARY"), sink.key)
    # Rows are known by their key, so it is needed whatever the table says.
    columns[sink.key] = replace(columns[sink.key], nullable=False)
    return Layout(
        table=sink.table,
        key=sink.key,
        columns=tuple(columns[name] for name in (*sink.columns, *sink.owner)),
        owner=tuple(sink.owner),
        walk=primary if columns[primary].kind in ("integer", "text") else sink.key,
        created=columns[sink.created_at] if sink.created_at else None,
        updated=columns[sink.updated_at] if sink.updated_at else None,
    )


def _lack(sink: TableSink, columns: Mapping[str, Column], unique: Mapping[str, str]) -> str | None:
    """What the target lacks, as a sentence; None where it has everything."""
    where, table = databases.place(sink.url), sink.table
    if not columns:
        hint = "check the database's name and the grants"
        return f"a table is missing at {where}: there is no {table}, or this user may not see it; {hint}"
    for name in (*sink.columns, *sink.owner, *filter(None, (sink.created_at, sink.updated_at))):
        if name not in columns:
            hint = "the table is not the one this task was made for"
            return f"a column is missing at {where}: {table} has no {name}; {hint}"
        if columns[name].kind == "unsupported":
            return f"{table}.{name} at {where} is {columns[name].declared}, which cannot be compared exactly"
    if sink.key not in unique:
        return f"{table} at {where} has no unique index on {sink.key} alone; create one"
    misfit = next(filter(None, (columns[name].misfit(value) for name, value in sink.owner.items())), None)
    return f"{table} at {where} does not take this task's rows: {misfit}" if misfit else None
