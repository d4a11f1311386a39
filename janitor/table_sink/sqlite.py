"""The statements of a table sink on SQLite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.column import Row
from janitor.table_sink.layout import Layout
from janitor.table_sink.row_texts import BETWEEN_VALUES, TextPage, marked

_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class SqliteTable:
    """The statements for SQLite. SQLite enforces no lengths and ranges. The sink enforces what the table declares."""

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `Table` says, and exactly: to read rows costs little within one process."""
        stored = set(self.stored(connection, [row[self.layout.key_at] for row in rows], lock=False))
        return [row for row in rows if row not in stored], len(stored)

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `Table` says. It needs no lock: a transaction locks the whole file."""
        names = ", ".join(_name(column.name) for column in self.layout.columns)
        where, unique = self._among(keys)
        return _rows(connection, f"SELECT {names} FROM {_name(self.layout.table)} WHERE {where}", unique)

    def _among(self, keys: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
        unique = tuple(dict.fromkeys(keys))
        return f"{_name(self.layout.key)} IN ({', '.join('?' * len(unique))})", unique

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `Table` says. SQLite's own collations are simple enough to repeat here."""
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
        """As `Table` says."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = [_name(column.name) for column in (*self.layout.columns, *stamps)]
        ending = tuple(stamp.text(now) for stamp in stamps)
        values = ", ".join("?" * len(names))
        statement = f"INSERT INTO {_name(self.layout.table)} ({', '.join(names)}) VALUES ({values})"
        connection.exec_driver_sql(statement, [row + ending for row in rows])

    def update(self, connection: Connection, rows: list[tuple[Any, Row]], now: datetime) -> None:
        """As `Table` says."""
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
        """As `Table` says."""
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
        """As `Table` says."""
        where, unique = self._among(keys)
        mine = "".join(f" AND {_name(name)} = ?" for name in owner)
        statement = f"DELETE FROM {_name(self.layout.table)} WHERE {where}{mine}"
        return connection.exec_driver_sql(statement, (*unique, *owner.values())).rowcount


def _rows(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[Row]:
    return list(map(tuple, connection.exec_driver_sql(statement, values)))


def _name(name: str) -> str:
    return quoted(name, "sqlite")
