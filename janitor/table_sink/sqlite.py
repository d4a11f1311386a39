"""The statements by which a table sink compares and writes, on SQLite."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.columns import BETWEEN_VALUES, INTEGER_BITS, Column, Layout, Row, integer_range
from janitor.table_sink.row_texts import TextPage, marked

_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_DECLARED = re.compile(r"\s*(\w*)(?:[^(]*\(\s*(\d+))?")


@dataclass(frozen=True)
class SqliteTable:
    """The statements for SQLite; it enforces no lengths and ranges, so those that the table declares count here."""

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `table_sink.Table` says; exactly, since reading the rows costs little within one process."""
        stored = set(self.stored(connection, [row[self.layout.key_at] for row in rows], lock=False))
        return [row for row in rows if row not in stored], len(stored)

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `table_sink.Table` says; a transaction has the whole file locked anyway."""
        names = ", ".join(_name(column.name) for column in self.layout.columns)
        where, unique = self._among(keys)
        return _rows(connection, f"SELECT {names} FROM {_name(self.layout.table)} WHERE {where}", unique)

    def _among(self, keys: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
        unique = tuple(dict.fromkeys(keys))
        return f"{_name(self.layout.key)} IN ({', '.join('?' * len(unique))})", unique

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `table_sink.Table` says; SQLite's own collations are simple enough to follow here."""
        at = self.layout.key_at
        stored = {self._folded(row[at]): row[at] for row in self.stored(connection, keys, lock=False)}
        groups: dict[Any, int] = {}
        return [(groups.setdefault(folded, len(groups)), stored.get(folded)) for folded in map(self._folded, keys)]

    def _folded(self, key: Any) -> Any:
        collation = self.layout.key_column.collation
        if collation == "NOCASE":
            return str(key).translate(_UPPER_TO_LOWER)
        return str(key).rstrip(" ") if collation == "RTRIM" else key

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """As `table_sink.Table` says."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = [_name(column.name) for column in (*self.layout.columns, *stamps)]
        ending = tuple(stamp.text(now) for stamp in stamps)
        values = ", ".join("?" * len(names))
        statement = f"INSERT INTO {_name(self.layout.table)} ({', '.join(names)}) VALUES ({values})"
        connection.exec_driver_sql(statement, [row + ending for row in rows])

    def update(self, connection: Connection, rows: list[tuple[Any, Row]], now: datetime) -> None:
        """As `table_sink.Table` says."""
        names = [_name(column.name) for column in self.layout.columns]
        ending: tuple[Any, ...] = ()
        if self.layout.updated:
            names.append(_name(self.layout.updated.name))
            ending = (self.layout.updated.text(now),)
        changes = ", ".join(f"{name} = ?" for name in names)
        statement = f"UPDATE {_name(self.layout.table)} SET {changes} WHERE {_name(self.layout.key)} = ?"
        connection.exec_driver_sql(statement, [(*row, *ending, stored) for stored, row in rows])

    def texts(
        self, connection: Connection, after: Any, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, Any | None]:
        """As `table_sink.Table` says."""
        walk, own = _name(self.layout.walk), self.layout.own
        parts = " || char(31) || ".join(marked(one, _name(one.name), "sqlite") for one in own)
        names = ", ".join(map(_name, (self.layout.walk, self.layout.key, *owner)))
        where = "" if after is None else f"WHERE {walk} > ? "
        statement = f"SELECT {parts}, {names} FROM {_name(self.layout.table)} {where}ORDER BY {walk} LIMIT {limit}"
        rows = _rows(connection, statement, () if after is None else (after,))
        end = rows[-1][1] if len(rows) == limit else None
        mine = [row for row in rows if row[3:] == tuple(owner.values())]
        plain = [row[0].count(BETWEEN_VALUES) == len(own) - 1 for row in mine]
        texts = {row[0] for row, is_plain in zip(mine, plain) if is_plain}
        return TextPage(texts, [row[2] for row, is_plain in zip(mine, plain) if not is_plain]), end

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """As `table_sink.Table` says."""
        where, unique = self._among(keys)
        mine = "".join(f" AND {_name(name)} = ?" for name in owner)
        statement = f"DELETE FROM {_name(self.layout.table)} WHERE {where}{mine}"
        return connection.exec_driver_sql(statement, (*unique, *owner.values())).rowcount


def _rows(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[Row]:
    return list(map(tuple, connection.exec_driver_sql(statement, values)))


def _name(name: str) -> str:
    return quoted(name, "sqlite")


def sqlite_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table by name, as the table declares them."""
    collations = {name: collation for _, name, collation in _indexed(connection, table)}
    rows = _rows(connection, f"PRAGMA table_info({_name(table)})", ())
    return {
        name: _column(name, declared, not required and not primary, collations.get(name, "BINARY"))
        for _, name, declared, required, _, primary in rows
    }


def sqlite_unique(connection: Connection, table: str) -> dict[str, str]:
    """Each column that is unique by itself, with the name of the index that says so (PRIMARY for the primary key)."""
    indexed = _indexed(connection, table)
    names = [index for index, _, _ in indexed]
    unique = {column: index for index, column, _ in indexed if names.count(index) == 1 and column}
    primary = [row[1] for row in _rows(connection, f"PRAGMA table_info({_name(table)})", ()) if row[5]]
    return unique | ({primary[0]: "PRIMARY"} if len(primary) == 1 else {})


def _indexed(connection: Connection, table: str) -> list[tuple[str, str, str]]:
    """The unique indexes' columns: (index, column, collation)."""
    found = []
    for _, index, unique, _, partial in _rows(connection, f"PRAGMA index_list({_name(table)})", ()):
        if unique and not partial:
            parts = _rows(connection, f"PRAGMA index_xinfo({_name(index)})", ())
            found += [(index, name, collation) for _, _, name, _, collation, is_key in parts if is_key]
    return found


def _column(name: str, declared: str, nullable: bool, collation: str) -> Column:
    match = _DECLARED.match(declared or "")
    kind, size = (match[1].lower(), match[2]) if match else ("", None)
    common: dict[str, Any] = {"name": name, "nullable": nullable, "declared": declared, "textual": True}
    if kind in INTEGER_BITS:
        # INTEGER is SQLite's own word for its 64 bits; the other names are those of the servers.
        low, high = integer_range(64 if kind == "integer" else INTEGER_BITS[kind], "unsigned" in declared.lower())
        return Column(kind="integer", low=low, high=min(high, 2**63 - 1), **common)
    if kind in ("datetime", "timestamp"):
        return Column(kind="datetime", low=datetime.min, high=datetime.max, digits=int(size or 6), **common)
    if kind == "date":
        return Column(kind="date", low=date.min, high=date.max, **common)
    if "char" in kind or "text" in kind:
        return Column(kind="text", characters=int(size) if size else None, collation=collation, **common)
    return Column(kind="unsupported", **common)
