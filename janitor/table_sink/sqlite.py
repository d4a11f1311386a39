"""The statements of a table sink on SQLite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.column import Column, Row
from janitor.table_sink.layout import Layout
from janitor.table_sink.plan import Change
from janitor.table_sink.row_texts import BETWEEN_VALUES, TextPage, marked, selected

_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class SqliteTable:
    """The statements for SQLite. SQLite enforces no lengths and ranges. The sink enforces what the table declares."""

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `Table` says, and exactly: to read rows costs little within one process."""
        stored = set(self.stored(connection, list(map(self.layout.key_of, rows)), lock=False))
        return [row for row in rows if row not in stored], len(stored)

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `Table` says. It needs no lock: a transaction locks the whole file."""
        names = ", ".join(selected(column, _name(column.name), "sqlite") for column in self.layout.columns)
        where, unique = self._among(keys)
        return _rows(connection, f"SELECT {names} FROM {_name(self.layout.table)} WHERE {where}", unique)

    def _among(self, keys: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
        unique, names = list(dict.fromkeys(keys)), self.layout.keys
        if len(names) == 1:
            return f"{_name(names[0])} IN ({', '.join('?' * len(unique))})", tuple(unique)
        rows = ", ".join([f"({', '.join('?' * len(names))})"] * len(unique))
        return f"({', '.join(map(_name, names))}) IN (VALUES {rows})", tuple(chain.from_iterable(unique))

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `Table` says. SQLite's own collations are simple enough to repeat here."""
        found = map(self.layout.key_of, self.stored(connection, keys, lock=False))
        stored = {self._folded(key): key for key in found}
        groups: dict[Any, int] = {}
        return [(groups.setdefault(folded, len(groups)), stored.get(folded)) for folded in map(self._folded, keys)]

    def _folded(self, key: Any) -> Any:
        return tuple(map(_fold, self.layout.key_columns, self.layout.values(key)))

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """As `Table` says."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = [_name(column.name) for column in (*self.layout.columns, *stamps)]
        ending = tuple(stamp.text(now) for stamp in stamps)
        values = ", ".join("?" * len(names))
        statement = f"INSERT INTO {_name(self.layout.table)} ({', '.join(names)}) VALUES ({values})"
        connection.exec_driver_sql(statement, [row + ending for row in rows])

    def update(self, connection: Connection, changes: list[Change], now: datetime) -> None:
        """As `Table` says."""
        names = [_name(column.name) for column in self.layout.columns]
        ending: tuple[Any, ...] = ()
        if self.layout.updated:
            names.append(_name(self.layout.updated.name))
            ending = (self.layout.updated.text(now),)
        sets = ", ".join(f"{name} = ?" for name in names)
        where = " AND ".join(f"{_name(name)} = ?" for name in self.layout.keys)
        statement = f"UPDATE {_name(self.layout.table)} SET {sets} WHERE {where}"
        keys = [self.layout.values(self.layout.key_of(kept)) for kept, _ in changes]
        connection.exec_driver_sql(statement, [(*row, *ending, *key) for (_, row), key in zip(changes, keys)])

    def texts(
        self, connection: Connection, after: tuple[Any, ...] | None, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, tuple[Any, ...] | None]:
        """As `Table` says."""
        walk, keys, own = list(map(_name, self.layout.walk)), list(map(_name, self.layout.keys)), self.layout.own
        parts = " || char(31) || ".join(marked(one, _name(one.name), "sqlite") for one in own)
        names, order = ", ".join((*walk, *keys, *map(_name, owner))), ", ".join(walk)
        where = "" if after is None else f"WHERE ({order}) > ({', '.join('?' * len(walk))}) "
        statement = f"SELECT {parts}, {names} FROM {_name(self.layout.table)} {where}ORDER BY {order} LIMIT {limit}"
        rows = _rows(connection, statement, after or ())
        key_at, owner_at = 1 + len(walk), 1 + len(walk) + len(keys)
        end = rows[-1][1:key_at] if len(rows) == limit else None
        mine = [row for row in rows if row[owner_at:] == tuple(owner.values())]
        plain = [row[0].count(BETWEEN_VALUES) == len(own) - 1 for row in mine]
        texts = {row[0] for row, is_plain in zip(mine, plain) if is_plain}
        apart = [row[key_at:owner_at] for row, is_plain in zip(mine, plain) if not is_plain]
        return TextPage(texts, apart if len(keys) > 1 else [key for (key,) in apart]), end

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """As `Table` says."""
        where, unique = self._among(keys)
        mine = "".join(f" AND {_name(name)} = ?" for name in owner)
        statement = f"DELETE FROM {_name(self.layout.table)} WHERE {where}{mine}"
        return connection.exec_driver_sql(statement, (*unique, *owner.values())).rowcount


def _rows(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[Row]:
    return list(map(tuple, connection.exec_driver_sql(statement, values)))


def _fold(column: Column, value: Any) -> Any:
    if column.collation == "NOCASE":
        return str(value).translate(_UPPER_TO_LOWER)
    return str(value).rstrip(" ") if column.collation == "RTRIM" else value


def _name(name: str) -> str:
    return quoted(name, "sqlite")
