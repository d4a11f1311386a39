"""The columns of a table on SQLite, as the table declares them."""

import re
from datetime import date, datetime
from decimal import Decimal
from sys import float_info
from typing import Any

from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.column import INTEGER_BITS, Column, integer_range
from janitor.table_sink.exact import TIMES
from janitor.table_sink.indexes import PRIMARY, UniqueIndex, unique_indexes

HIDDEN = 1
"""How SQLite marks a column of a virtual table that nobody sees; 2 and 3 are generated columns."""
EXACT_DIGITS = 15
"""SQLite keeps a decimal as a floating number, which is exact up to so many digits."""
_DECIMAL = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_DECLARED = re.compile(r"\s*(\w*)(?:[^(]*\(\s*(\d+))?")


def sqlite_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table, by name."""
    collations = {name: collation for _, name, collation, whole in _indexed(connection, table) if whole}
    rows = _pragma(connection, "table_xinfo", table)
    return {
        name: _column(name, declared, not required and not primary, collations.get(name, "BINARY"))
        for _, name, declared, required, _, primary, hidden in rows
        if hidden != HIDDEN
    }


def sqlite_indexes(connection: Connection, table: str) -> list[UniqueIndex]:
    """The unique indexes of a table."""
    primary = sorted((row[5], row[1]) for row in _pragma(connection, "table_info", table) if row[5])
    found = [UniqueIndex(PRIMARY, tuple(name for _, name in primary), whole=True)] if primary else []
    return found + unique_indexes((index, name, whole) for index, name, _, whole in _indexed(connection, table))


def _indexed(connection: Connection, table: str) -> list[tuple[str, str | None, str, bool]]:
    """The columns of the unique indexes: (index, column, collation, whether it has all rows)."""
    found = []
    for _, index, unique, _, partial in _pragma(connection, "index_list", table):
        if unique:
            parts = _pragma(connection, "index_xinfo", index)
            found += [(index, name, collation, not partial) for _, _, name, _, collation, is_key in parts if is_key]
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
    return _exact_column(kind, declared or "", size, common)


def _exact_column(kind: str, declared: str, size: str | None, common: dict[str, Any]) -> Column:
    """A column whose values need care to be compared exactly; `unsupported` if they cannot be."""
    if kind in ("decimal", "numeric") and (match := _DECIMAL.search(declared)):
        digits, decimals = int(match[1]), int(match[2] or 0)
        high = Decimal(10**digits - 1).scaleb(-decimals)
        if digits <= EXACT_DIGITS:
            return Column(kind="decimal", low=high.copy_negate(), high=high, digits=decimals, **common)
    if kind in ("double", "real", "float"):
        return Column(kind="double", low=-float_info.max, high=float_info.max, **common)
    if kind in ("blob", "binary", "varbinary"):
        return Column(kind="binary", octets=int(size) if size else None, padded=kind == "binary", **common)
    if kind == "bit":
        return Column(kind="bit", low=0, high=min(2 ** int(size or 1), 2**63) - 1, **common)
    if kind == "time":
        return Column(kind="time", low=TIMES[0], high=TIMES[1], digits=int(size or 6), **common)
    if kind == "year":
        return Column(kind="year", low=1901, high=2155, **common)
    return Column(kind="uuid" if kind == "uuid" else "unsupported", **common)


def _pragma(connection: Connection, name: str, argument: str) -> list[tuple[Any, ...]]:
    return list(map(tuple, connection.exec_driver_sql(f"PRAGMA {name}({quoted(argument, 'sqlite')})")))
