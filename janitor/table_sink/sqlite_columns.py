"""The columns of a table on SQLite, as the table declares them."""

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.column import INTEGER_BITS, Column, integer_range

_DECLARED = re.compile(r"\s*(\w*)(?:[^(]*\(\s*(\d+))?")


def sqlite_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table, by name."""
    collations = {name: collation for _, name, collation in _indexed(connection, table)}
    rows = _pragma(connection, "table_info", table)
    return {
        name: _column(name, declared, not required and not primary, collations.get(name, "BINARY"))
        for _, name, declared, required, _, primary in rows
    }


def sqlite_unique(connection: Connection, table: str) -> dict[str, str]:
    """Each column with a unique index of its own, and the name of that index; the primary key is `PRIMARY`."""
    indexed = _indexed(connection, table)
    names = [index for index, _, _ in indexed]
    unique = {column: index for index, column, _ in indexed if names.count(index) == 1 and column}
    primary = [row[1] for row in _pragma(connection, "table_info", table) if row[5]]
    return unique | ({primary[0]: "PRIMARY"} if len(primary) == 1 else {})


def _indexed(connection: Connection, table: str) -> list[tuple[str, str, str]]:
    """The columns of the unique indexes: (index, column, collation)."""
    found = []
    for _, index, unique, _, partial in _pragma(connection, "index_list", table):
        if unique and not partial:
            parts = _pragma(connection, "index_xinfo", index)
            found += [(index, name, collation) for _, _, name, _, collation, is_key in parts if is_key]
    return found


def _column(name: str, declared: str, nullable: bool, collation: str) -> Column:
    match = _DECLARED.match(declared or "")
    kind, size = (match[1].lower(), match[2]) if match else ("", None)
    common: dict[str, Any] = {"name": name, "nullable": nullable, "declared": declared, "textual": True}
    if kind in INTEGER_BITS:
        # INTEGER is SQLite's own word, for 64 bits. The other names are the servers' words.
        low, high = integer_range(64 if kind == "integer" else INTEGER_BITS[kind], "unsigned" in declared.lower())
        return Column(kind="integer", low=low, high=min(high, 2**63 - 1), **common)
    if kind in ("datetime", "timestamp"):
        return Column(kind="datetime", low=datetime.min, high=datetime.max, digits=int(size or 6), **common)
    if kind == "date":
        return Column(kind="date", low=date.min, high=date.max, **common)
    if "char" in kind or "text" in kind:
        return Column(kind="text", characters=int(size) if size else None, collation=collation, **common)
    return Column(kind="unsupported", **common)


def _pragma(connection: Connection, name: str, argument: str) -> list[tuple[Any, ...]]:
    return list(map(tuple, connection.exec_driver_sql(f"PRAGMA {name}({quoted(argument, 'sqlite')})")))
