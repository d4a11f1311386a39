"""The statements by which a table sink compares and writes, on MySQL 8 and MariaDB 10.6 and later."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from janitor.databases.places import quoted
from janitor.table_sink.columns import BETWEEN_VALUES, INTEGER_BITS, Column, Layout, Row, integer_range, known_charset
from janitor.table_sink.row_texts import TextPage, joined, marked, split

STATEMENT_BYTES = 1_000_000
"""How long the values of one statement may become before the next one is begun: far below any packet limit."""


@dataclass(frozen=True)
class MySqlTable:
    """The statements for MySQL 8 and MariaDB 10.6 and later.

    Values go as literals: as parameters they would cost PyMySQL five times the time that the server needs for them.
    """

    layout: Layout

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """As `table_sink.Table` says.

        The server joins all stored rows into one text, which costs Python a fifth of reading them one by one.
        """
        values = [column.marked(part) for column, part in zip(self.layout.columns, zip(*rows))]
        texts = list(map(BETWEEN_VALUES.join, zip(*values)))
        where = f"{_name(self.layout.key)} IN ({_keys(connection, [row[self.layout.key_at] for row in rows])})"
        select = f"SELECT {self._texts(self.layout.columns)}, COUNT(*) FROM {_name(self.layout.table)} WHERE {where}"
        whole, found = _run(connection, select).one()
        stored = split(whole, len(self.layout.columns))
        separators = len(rows) * (len(self.layout.columns) - 1)
        if stored is None or len(stored) != found or "".join(texts).count(BETWEEN_VALUES) != separators:
            # A value holds a separator, or the server cut the text off; without, equal texts are equal values.
            return rows, found
        return [row for row, one in zip(rows, texts) if one not in stored], found

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """As `table_sink.Table` says."""
        names = ", ".join(_name(column.name) for column in self.layout.columns)
        where = f"{_name(self.layout.key)} IN ({_keys(connection, keys)}){' FOR UPDATE' if lock else ''}"
        return list(map(tuple, _run(connection, f"SELECT {names} FROM {_name(self.layout.table)} WHERE {where}")))

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """As `table_sink.Table` says; only the server knows which keys its collation holds for one."""
        key, same = self.layout.key_column, self._same("s.c0")
        table = _json_table([orjson.dumps([one]).decode() for one in keys], [key])
        rows = _run(
            connection,
            f"SELECT s.o, DENSE_RANK() OVER (ORDER BY {same}), t.{_name(key.name)} FROM {table} AS s "
            f"LEFT JOIN {_name(self.layout.table)} AS t ON t.{_name(key.name)} = {same} ORDER BY s.o",
        )
        return [(group, stored) for _, group, stored in rows]

    def _same(self, value: str) -> str:
        # JSON_TABLE's text is utf8mb4; comparing that with a column of another character set would miss the index.
        key = self.layout.key_column
        return value if key.kind != "text" else f"CONVERT({value} USING {key.charset}) COLLATE {key.collation}"

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """As `table_sink.Table` says; literal rows, because only their number is known to AUTO_INCREMENT beforehand."""
        stamps = [column for column in (self.layout.created, self.layout.updated) if column]
        names = ", ".join(_name(column.name) for column in (*self.layout.columns, *stamps))
        ending = "".join(f",'{stamp.text(now)}'" for stamp in stamps)
        for values in _values(connection, rows, ending):
            _run(connection, f"INSERT INTO {_name(self.layout.table)} ({names}) VALUES ({values})")

    def update(self, connection: Connection, rows: list[tuple[Any, Row]], now: datetime) -> None:
        """As `table_sink.Table` says."""
        layout = self.layout
        columns = [layout.key_column, *layout.columns]
        changes = [f"t.{_name(column.name)} = s.c{at}" for at, column in enumerate(layout.columns, 1)]
        if layout.updated:
            changes.append(f"t.{_name(layout.updated.name)} = '{layout.updated.text(now)}'")
        for values in _pieces([orjson.dumps((stored, *row)).decode() for stored, row in rows]):
            join = f"{_json_table(values, columns)} AS s ON t.{_name(layout.key)} = {self._same('s.c0')}"
            _run(connection, f"UPDATE {_name(layout.table)} AS t JOIN {join} SET {', '.join(changes)}")

    def texts(
        self, connection: Connection, after: Any, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, Any | None]:
        """As `table_sink.Table` says."""
        walk, table, key = _name(self.layout.walk), _name(self.layout.table), self.layout.key_column
        begin = "1" if after is None else f"{walk} > {_literals(connection, (after,))}"
        last = f"SELECT {walk} FROM {table} WHERE {begin} ORDER BY {walk} LIMIT {limit - 1}, 1"
        end = _run(connection, last).scalar()
        where = begin if end is None else f"{begin} AND {walk} <= {_literals(connection, (end,))}"
        where += self._mine(connection, owner)
        own = self.layout.own
        whole, count = _run(connection, f"SELECT {self._texts(own)}, COUNT(*) FROM {table} WHERE {where}").one()
        found = split(whole, len(own))
        if found is not None and len(found) == count and key.kind in ("text", "integer"):
            return TextPage(found), end
        return (
            TextPage(apart=list(_run(connection, f"SELECT {_name(key.name)} FROM {table} WHERE {where}").scalars())),
            end,
        )

    def _mine(self, connection: Connection, owner: Mapping[str, Any]) -> str:
        """The condition that a row is the owner's, to the letter."""
        mine = ""
        for name, value in owner.items():
            exact = f"CAST(CONVERT({_name(name)} USING utf8mb4) AS BINARY)" if isinstance(value, str) else _name(name)
            mine += f" AND {exact} = {_literals(connection, (value,))}"
        return mine

    def _texts(self, columns: Sequence[Column]) -> str:
        return joined([marked(column, _name(column.name), "mysql") for column in columns], "mysql")

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """As `table_sink.Table` says."""
        where = f"{_name(self.layout.key)} IN ({_keys(connection, keys)}){self._mine(connection, owner)}"
        return int(_run(connection, f"DELETE FROM {_name(self.layout.table)} WHERE {where}").rowcount)


def _run(connection: Connection, statement: str) -> Any:
    # Without this option PyMySQL would take every % of the text for a placeholder.
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _name(name: str) -> str:
    return quoted(name, "mysql")


def _literals(connection: Connection, values: Sequence[Any]) -> str:
    """The values as SQL literals with commas between them.

    JSON without a single backslash has nothing between its double quotes that ends a string or means anything else in
    it, so it is SQL as it stands, and six times as fast; whatever needs an escape is left to the driver.
    """
    encoded = orjson.dumps(values)
    if b"\\" not in encoded:
        return encoded[1:-1].decode()
    driver: Any = connection.connection.driver_connection
    return ",".join([driver.escape(value) for value in values])


def _values(connection: Connection, rows: list[Row], ending: str) -> Iterator[str]:
    """The rows as literals, each with `ending`, in pieces for one statement each."""
    encoded = orjson.dumps(rows)
    # All at once, as `_literals` does with one row, where no value holds what stands between two rows.
    if len(encoded) <= STATEMENT_BYTES and b"\\" not in encoded and encoded.count(b"],[") == len(rows) - 1:
        yield encoded[2:-2].decode().replace("],[", f"{ending}),(") + ending
        return
    for values in _pieces([_literals(connection, row) + ending for row in rows]):
        yield "),(".join(values)


def _keys(connection: Connection, keys: Sequence[Any]) -> str:
    return _literals(connection, list(dict.fromkeys(keys)))


def _pieces(texts: list[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    size = 0
    for one in texts:
        if piece and size + len(one) > STATEMENT_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += len(one)
    if piece:
        yield piece


def _json_table(rows: Sequence[str], columns: Sequence[Column]) -> str:
    """Rows, each a JSON array, as a table of the columns o (the row's number, from 1) and c0, c1, ...

    A value that does not fit its column is an error of the statement.
    """
    # JSON has no raw control characters, so these two are all that could end or change a literal; the driver's own
    # escaping goes through the text character by character.
    document = f"[{','.join(rows)}]".replace("\\", "\\\\").replace("'", "''")
    types = [
        f"c{at} {_json_type(column)} PATH '$[{at}]' NULL ON EMPTY ERROR ON ERROR" for at, column in enumerate(columns)
    ]
    return f"JSON_TABLE('{document}', '$[*]' COLUMNS (o FOR ORDINALITY, {', '.join(types)}))"


def _json_type(column: Column) -> str:
    if column.kind == "text":
        return "longtext" if column.octets else f"varchar({column.characters}) CHARACTER SET utf8mb4"
    return f"datetime({column.digits})" if column.kind == "datetime" else column.declared


_MYSQL_COLUMNS = text(
    "SELECT column_name AS name, data_type AS type, column_type AS declared, is_nullable AS nullable, "
    "character_maximum_length AS characters, character_octet_length AS octets, character_set_name AS charset, "
    "collation_name AS collation, datetime_precision AS digits "
    "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :table"
)
_MYSQL_UNIQUE = text(
    "SELECT index_name AS name, MAX(column_name) AS only_column FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = :table AND non_unique = 0 "
    "GROUP BY index_name HAVING COUNT(*) = 1 AND MAX(sub_part) IS NULL"
)
_MYSQL_INSTANTS = {
    "datetime": (datetime(1000, 1, 1), datetime.max),
    "timestamp": (datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7, 999999)),
}


def _as_text(value: Any) -> str:
    # MySQL's information_schema gives some columns as bytes.
    return value.decode() if isinstance(value, bytes) else str(value)


def mysql_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table by name, as the server describes them."""
    rows = connection.execute(_MYSQL_COLUMNS, {"table": table}).mappings()
    return {row["name"]: _mysql_column(row) for row in rows}


def mysql_unique(connection: Connection, table: str) -> dict[str, str]:
    """Each column that is unique by itself, with the name of the index that says so (PRIMARY for the primary key)."""
    rows = connection.execute(_MYSQL_UNIQUE, {"table": table}).mappings()
    return {row["only_column"]: row["name"] for row in sorted(rows, key=lambda row: str(row["name"]) == "PRIMARY")}


def _mysql_column(row: Mapping[Any, Any]) -> Column:
    kind, declared = str(row["type"]).lower(), _as_text(row["declared"])
    common: dict[str, Any] = {"name": row["name"], "nullable": row["nullable"] == "YES", "declared": declared}
    if kind in INTEGER_BITS:
        low, high = integer_range(INTEGER_BITS[kind], "unsigned" in declared)
        return Column(kind="integer", low=low, high=high, **common)
    if kind in _MYSQL_INSTANTS:
        first, last = _MYSQL_INSTANTS[kind]
        return Column(kind="datetime", low=first, high=last, digits=int(row["digits"] or 0), **common)
    if kind == "date":
        return Column(kind="date", low=date(1000, 1, 1), high=date.max, **common)
    if kind in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext") and known_charset(row["charset"]):
        octets = int(row["octets"]) if kind.endswith("text") else None
        common |= {"characters": int(row["characters"]), "octets": octets, "padded": kind == "char"}
        return Column(kind="text", charset=row["charset"], collation=row["collation"], **common)
    return Column(kind="unsupported", **common)
