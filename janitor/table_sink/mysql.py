"""The statements of a table sink on MySQL 8 and MariaDB 10.6 or later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.table_sink.column import Column, Row
from janitor.table_sink.layout import Layout
from janitor.table_sink.mysql_literals import json_table, literals, pieces, value_lists
from janitor.table_sink.row_texts import BETWEEN_VALUES, TextPage, joined, marked, split


@dataclass(frozen=True)
class MySqlTable:
    """The statements for MySQL 8 and MariaDB 10.6 or later; their values are literals."""

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `Table` says.

        The server joins the stored rows into one text. Python needs a fifth of the time for it that rows would take.
        """
        values = [column.marked(part) for column, part in zip(self.layout.columns, zip(*rows))]
        texts = list(map(BETWEEN_VALUES.join, zip(*values)))
        where = f"{_name(self.layout.key)} IN ({_keys(connection, [row[self.layout.key_at] for row in rows])})"
        select = f"SELECT {self._texts(self.layout.columns)}, COUNT(*) FROM {_name(self.layout.table)} WHERE {where}"
        whole, found = _run(connection, select).one()
        stored = split(whole, len(self.layout.columns))
        separators = len(rows) * (len(self.layout.columns) - 1)
        if stored is None or len(stored) != found or "".join(texts).count(BETWEEN_VALUES) != separators:
            # A value holds a separator, or the server cut the text short: equal texts would prove nothing.
            return rows, found
        return [row for row, row_text in zip(rows, texts) if row_text not in stored], found

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `Table` says."""
        names = ", ".join(_name(column.name) for column in self.layout.columns)
        where = f"{_name(self.layout.key)} IN ({_keys(connection, keys)}){' FOR UPDATE' if lock else ''}"
        return list(map(tuple, _run(connection, f"SELECT {names} FROM {_name(self.layout.table)} WHERE {where}")))

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `Table` says. Only the server knows which keys are the same to its collation."""
        key, same = self.layout.key_column, self._same("s.c0")
        table = json_table([orjson.dumps([value]).decode() for value in keys], [key])
        rows = _run(
            connection,
            f"SELECT s.o, DENSE_RANK() OVER (ORDER BY {same}), t.{_name(key.name)} FROM {table} AS s "
            f"LEFT JOIN {_name(self.layout.table)} AS t ON t.{_name(key.name)} = {same} ORDER BY s.o",
        )
        return [(group, stored) for _, group, stored in rows]

    def _same(self, value: str) -> str:
        # JSON_TABLE gives utf8mb4. Compared with a column of another character set, it would not use the index.
        key = self.layout.key_column
        return value if key.kind != "text" else f"CONVERT({value} USING {key.charset}) COLLATE {key.collation}"

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """As `Table` says. The server knows the number of literal rows, and wastes no AUTO_INCREMENT value."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = ", ".join(_name(column.name) for column in (*self.layout.columns, *stamps))
        ending = "".join(f",'{stamp.text(now)}'" for stamp in stamps)
        for values in value_lists(connection, rows, ending):
            _run(connection, f"INSERT INTO {_name(self.layout.table)} ({names}) VALUES ({values})")

    def update(self, connection: Connection, rows: list[tuple[Any, Row]], now: datetime) -> None:
        """As `Table` says."""
        layout = self.layout
        columns = [layout.key_column, *layout.columns]
        changes = [f"t.{_name(column.name)} = s.c{at}" for at, column in enumerate(layout.columns, 1)]
        if layout.updated:
            changes.append(f"t.{_name(layout.updated.name)} = '{layout.updated.text(now)}'")
        for values in pieces([orjson.dumps((stored, *row)).decode() for stored, row in rows]):
            join = f"{json_table(values, columns)} AS s ON t.{_name(layout.key)} = {self._same('s.c0')}"
            _run(connection, f"UPDATE {_name(layout.table)} AS t JOIN {join} SET {', '.join(changes)}")

    def texts(
        self, connection: Connection, after: Any, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, Any | None]:
        """As `Table` says."""
        walk, table, key = _name(self.layout.walk), _name(self.layout.table), self.layout.key_column
        begin = "1" if after is None else f"{walk} > {literals(connection, (after,))}"
        last = f"SELECT {walk} FROM {table} WHERE {begin} ORDER BY {walk} LIMIT {limit - 1}, 1"
        end = _run(connection, last).scalar()
        where = begin if end is None else f"{begin} AND {walk} <= {literals(connection, (end,))}"
        where += self._mine(connection, owner)
        own = self.layout.own
        whole, count = _run(connection, f"SELECT {self._texts(own)}, COUNT(*) FROM {table} WHERE {where}").one()
        found = split(whole, len(own))
        if found is not None and len(found) == count and key.kind in ("text", "integer"):
            return TextPage(found), end
        keys = _run(connection, f"SELECT {_name(key.name)} FROM {table} WHERE {where}").scalars()
        return TextPage(apart=list(keys)), end

    def _mine(self, connection: Connection, owner: Mapping[str, Any]) -> str:
        """The condition that a row belongs to the owner: compared byte by byte, not by the collation."""
        mine = ""
        for name, value in owner.items():
            exact = f"CAST(CONVERT({_name(name)} USING utf8mb4) AS BINARY)" if isinstance(value, str) else _name(name)
            mine += f" AND {exact} = {literals(connection, (value,))}"
        return mine

    def _texts(self, columns: Sequence[Column]) -> str:
        return joined([marked(column, _name(column.name), "mysql") for column in columns], "mysql")

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """As `Table` says."""
        where = f"{_name(self.layout.key)} IN ({_keys(connection, keys)}){self._mine(connection, owner)}"
        return int(_run(connection, f"DELETE FROM {_name(self.layout.table)} WHERE {where}").rowcount)


def _run(connection: Connection, statement: str) -> Any:
    # Without this option PyMySQL reads every % in the text as a placeholder.
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _name(name: str) -> str:
    return quoted(name, "mysql")


def _keys(connection: Connection, keys: Sequence[Any]) -> str:
    return literals(connection, list(dict.fromkeys(keys)))
