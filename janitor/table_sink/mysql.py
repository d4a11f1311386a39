"""The statements of a table sink on MySQL 8 and MariaDB 10.6 or later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from janitor.databases.places import quoted
from janitor.errors import RowRefused
from janitor.table_sink.column import Column, Row
from janitor.table_sink.exact import wire
from janitor.table_sink.layout import Layout
from janitor.table_sink.mysql_literals import STATEMENT_BYTES, json_table, literals, octets, pieces, value_lists
from janitor.table_sink.plan import Change
from janitor.table_sink.row_texts import BETWEEN_VALUES, TextPage, joined, marked, selected, split

SLACK_BYTES = 16_384
"""Room for the words of a statement around its values."""


@dataclass(frozen=True)
class MySqlTable:
    """The statements for MySQL 8 and MariaDB 10.6 or later; their values are literals."""

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `Table` says.

        The server joins the stored rows into one text. Python needs a fifth of the time for it that rows would take.
        """
        among = self._among(connection, list(map(self.layout.key_of, rows)))
        if self._too_long(among, rows):
            halves = [self.suspects(connection, half) for half in _halves(rows)]
            return [row for found, _ in halves for row in found], sum(count for _, count in halves)
        values = [column.marked(part) for column, part in zip(self.layout.columns, zip(*rows))]
        texts = list(map(BETWEEN_VALUES.join, zip(*values)))
        whole, found = _run(connection, f"SELECT {self._texts(self.layout.columns)}, COUNT(*) FROM {among}").one()
        stored = split(whole, len(self.layout.columns))
        separators = len(rows) * (len(self.layout.columns) - 1)
        if stored is None or len(stored) != found or "".join(texts).count(BETWEEN_VALUES) != separators:
            # A value holds a separator, or the server cut the text short: equal texts would prove nothing.
            return rows, found
        return [row for row, row_text in zip(rows, texts) if row_text not in stored], found

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `Table` says."""
        among = self._among(connection, keys)
        if self._too_long(among, keys):
            return [row for half in _halves(keys) for row in self.stored(connection, half, lock)]
        names = ", ".join(selected(column, self._of_table(column.name), "mysql") for column in self.layout.columns)
        return list(map(tuple, _run(connection, f"SELECT {names} FROM {among}{' FOR UPDATE' if lock else ''}")))

    @property
    def _most(self) -> int:
        """How many bytes of values go into one statement. On the way, quoting can double them."""
        half = max(SLACK_BYTES, self.layout.packet // 2) - SLACK_BYTES // 2
        return min(STATEMENT_BYTES, half) if self.layout.packet else STATEMENT_BYTES

    def _too_long(self, text: str, rows: Sequence[Any]) -> bool:
        """Whether a statement with this text would be too long, and may be split: it has several rows."""
        return len(rows) > 1 and len(text) > self._most // 4 and octets(text) > self._most

    def _among(self, connection: Connection, keys: Sequence[Any]) -> str:
        """The table with the condition that a row has one of these keys, in words that use the key's index."""
        unique = list(dict.fromkeys(keys))
        table = _name(self.layout.table)
        if len(self.layout.keys) == 1:
            return f"{table} WHERE {self._of_table(self.layout.keys[0])} IN ({literals(connection, unique)})"
        # MariaDB finds a list of pairs only by reading the whole table.
        wanted = json_table([orjson.dumps(key, default=wire).decode() for key in unique], self.layout.key_columns)
        return f"{wanted} AS s STRAIGHT_JOIN {table} ON {self._same_key(table)}"

    def _of_table(self, name: str) -> str:
        return f"{_name(self.layout.table)}.{_name(name)}"

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `Table` says. Only the server knows which keys are the same to its collation."""
        columns = self.layout.key_columns
        texts = [orjson.dumps(self.layout.values(key), default=wire).decode() for key in keys]
        if self._too_long("".join(texts), keys):
            first, second = (self.homes(connection, half) for half in _halves(keys))
            # Keys of the two halves do not share a group: if they are the same, the server says so when it is written.
            return [*first, *((group + len(keys), stored) for group, stored in second)]
        same = ", ".join(_same(column, f"s.c{at}") for at, column in enumerate(columns))
        table = json_table(texts, columns)
        stored = ", ".join(selected(column, f"t.{_name(column.name)}", "mysql") for column in columns)
        rows = _run(
            connection,
            f"SELECT DENSE_RANK() OVER (ORDER BY {same}), {stored} FROM {table} AS s "
            f"LEFT JOIN {_name(self.layout.table)} AS t ON {self._same_key('t')} ORDER BY s.o",
        )
        return [(group, None if found[0] is None else self._key(found)) for group, *found in rows]

    def _key(self, values: Sequence[Any]) -> Any:
        return tuple(values) if len(self.layout.keys) > 1 else values[0]

    def _same_key(self, table: str) -> str:
        """The condition that a row of the table has the key of a row of the JSON_TABLE s."""
        columns = enumerate(self.layout.key_columns)
        return " AND ".join(f"{table}.{_name(column.name)} = {_same(column, f's.c{at}')}" for at, column in columns)

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """As `Table` says. The server knows the number of literal rows, and wastes no AUTO_INCREMENT value."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = ", ".join(_name(column.name) for column in (*self.layout.columns, *stamps))
        ending = "".join(f",'{stamp.text(now)}'" for stamp in stamps)
        binary = any(column.kind == "binary" for column in self.layout.columns)
        for values in value_lists(connection, rows, ending, most=self._most, binary=binary):
            self._write(connection, f"INSERT INTO {_name(self.layout.table)} ({names}) VALUES ({values})")

    def _write(self, connection: Connection, statement: str) -> None:
        """Run a statement of one row or more.

        Raises:
            RowRefused: the server would not take so long a statement, so its rows are to be written one by one.
        """
        packet = self.layout.packet
        if packet and len(statement) > packet // 4 and (size := octets(statement)) >= packet:
            raise RowRefused(f"a row has {size} bytes, and the server takes at most {packet}: raise max_allowed_packet")
        _run(connection, statement)

    def update(self, connection: Connection, changes: list[Change], now: datetime) -> None:
        """As `Table` says."""
        layout = self.layout
        columns = [*layout.key_columns, *layout.columns]
        sets = [
            f"t.{_name(one.name)} = {_value(one, f's.c{at}')}"
            for at, one in enumerate(layout.columns, len(layout.keys))
        ]
        if layout.updated:
            sets.append(f"t.{_name(layout.updated.name)} = '{layout.updated.text(now)}'")
        rows = [(*layout.values(layout.key_of(kept)), *row) for kept, row in changes]
        for values in pieces([orjson.dumps(row, default=wire).decode() for row in rows], self._most):
            join = f"{json_table(values, columns)} AS s ON {self._same_key('t')}"
            self._write(connection, f"UPDATE {_name(layout.table)} AS t JOIN {join} SET {', '.join(sets)}")

    def texts(
        self, connection: Connection, after: tuple[Any, ...] | None, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, tuple[Any, ...] | None]:
        """As `Table` says."""
        walk, table = ", ".join(map(_name, self.layout.walk)), _name(self.layout.table)
        kinds = {column.name: column for column in self.layout.key_columns}
        places = [
            selected(kinds[name], _name(name), "mysql") if name in kinds else _name(name) for name in self.layout.walk
        ]
        begin = "1" if after is None else self._beyond(connection, ">", after)
        last = f"SELECT {', '.join(places)} FROM {table} WHERE {begin} ORDER BY {walk} LIMIT {limit - 1}, 1"
        end = next(map(tuple, _run(connection, last)), None)
        where = begin if end is None else f"{begin} AND {self._beyond(connection, '<=', end)}"
        where += self._mine(connection, owner)
        own = self.layout.own
        whole, count = _run(connection, f"SELECT {self._texts(own)}, COUNT(*) FROM {table} WHERE {where}").one()
        found = split(whole, len(own))
        if found is not None and len(found) == count:
            return TextPage(found), end
        names = ", ".join(selected(column, _name(column.name), "mysql") for column in self.layout.key_columns)
        keys = _run(connection, f"SELECT {names} FROM {table} WHERE {where}")
        return TextPage(apart=list(map(self._key, keys))), end

    def _beyond(self, connection: Connection, comparison: str, place: tuple[Any, ...]) -> str:
        """The condition that a row is behind a place of the walk (>), or not behind it (<=)."""
        # The servers find pairs that are greater than a pair only by reading the whole table.
        parts, before = [], ""
        for at, (name, value) in enumerate(zip(self.layout.walk, place), 1):
            text = literals(connection, (value,))
            parts.append(f"{before}{_name(name)} {comparison if at == len(place) else comparison[0]} {text}")
            before += f"{_name(name)} = {text} AND "
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def _mine(self, connection: Connection, owner: Mapping[str, Any]) -> str:
        """The condition that a row belongs to the owner: compared byte by byte, not by the collation."""
        mine = ""
        for name, value in owner.items():
            exact = self._of_table(name)
            if isinstance(value, str):
                exact = f"CAST(CONVERT({exact} USING utf8mb4) AS BINARY)"
            mine += f" AND {exact} = {literals(connection, (value,))}"
        return mine

    def _texts(self, columns: Sequence[Column]) -> str:
        return joined([marked(column, self._of_table(column.name), "mysql") for column in columns], "mysql")

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """As `Table` says."""
        among, mine = self._among(connection, keys), self._mine(connection, owner)
        if self._too_long(among, keys):
            return sum(self.delete(connection, half, owner) for half in _halves(keys))
        table = _name(self.layout.table)
        what = "FROM" if len(self.layout.keys) == 1 else f"{table} FROM"
        return int(_run(connection, f"DELETE {what} {among}{mine}").rowcount)


def _run(connection: Connection, statement: str) -> Any:
    # Without this option PyMySQL reads every % in the text as a placeholder.
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _halves(rows: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    half = len(rows) // 2
    return list(rows[:half]), list(rows[half:])


def _name(name: str) -> str:
    return quoted(name, "mysql")


def _same(key: Column, value: str) -> str:
    # JSON_TABLE gives utf8mb4. Compared with a column of another character set, it would not use the index.
    if key.kind != "text":
        return _value(key, value)
    return f"CONVERT({value} USING {key.charset}) COLLATE {key.collation}"


def _value(column: Column, value: str) -> str:
    """A value of a JSON_TABLE, for a column."""
    return f"UNHEX({value})" if column.kind == "binary" else value
