"""Values as SQL text for MySQL and MariaDB.

Why not as parameters: PyMySQL would spend five times as long on them as the server needs to execute the statement.
Our own code is JSON by orjson wherever that is SQL too; the driver's escaping does the rest.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from janitor.table_sink.column import Column, Row
from janitor.table_sink.exact import wire

STATEMENT_BYTES = 1_000_000
"""At most so many bytes of values go into one statement, if the server takes twice as many."""


def literals(connection: Connection, values: Sequence[Any]) -> str:
    """The values as SQL literals, with commas between them.

    JSON without a backslash is SQL as it stands, and six times as fast to make. JSON with a backslash has escapes that
    SQL may read differently: then the driver escapes the values.
    """
    if bytes in set(map(type, values)):
        return ",".join([_literal(connection, value) for value in values])
    encoded = orjson.dumps(values, default=wire)
    if b"\\" not in encoded:
        return encoded[1:-1].decode()
    driver: Any = connection.connection.driver_connection
    return ",".join([driver.escape(value) for value in values])


def _literal(connection: Connection, value: Any) -> str:
    return f"X'{value.hex()}'" if isinstance(value, bytes) else literals(connection, [value])


def value_lists(
    connection: Connection, rows: list[Row], ending: str, *, most: int, binary: bool = False
) -> Iterator[str]:
    """The rows as lists of literals, each with `ending` appended, in texts of about `most` bytes for each statement.

    `binary`: a row may hold bytes.
    """
    encoded = b"\\" if binary else orjson.dumps(rows, default=wire)
    # All rows at once, if no value holds the text that stands between two rows.
    if len(encoded) <= most and b"\\" not in encoded and encoded.count(b"],[") == len(rows) - 1:
        yield encoded[2:-2].decode().replace("],[", f"{ending}),(") + ending
        return
    for values in pieces([literals(connection, row) + ending for row in rows], most):
        yield "),(".join(values)


def pieces(texts: list[str], most: int) -> Iterator[list[str]]:
    """The texts in groups of up to `most` bytes; a longer text is a group of its own."""
    piece: list[str] = []
    size = 0
    for text in texts:
        length = octets(text)
        if piece and size + length > most:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += length
    if piece:
        yield piece


def octets(text: str) -> int:
    """How many bytes a text has on its way to the server."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def json_table(rows: Sequence[str], columns: Sequence[Column]) -> str:
    """Rows, each a JSON array, as a table with the columns o (the row's number, from 1) and c0, c1, ...

    Each value must fit its column, as `Column.misfit` says. MySQL refuses a value that does not; MariaDB cuts it.
    """
    # JSON has no raw control characters, so only these two characters could end or change the literal. The driver's
    # escaping looks at each character, and would be slow.
    document = f"[{','.join(rows)}]".replace("\\", "\\\\").replace("'", "''")
    types = [
        f"c{at} {_json_type(column)} PATH '$[{at}]' NULL ON EMPTY ERROR ON ERROR" for at, column in enumerate(columns)
    ]
    return f"JSON_TABLE('{document}', '$[*]' COLUMNS (o FOR ORDINALITY, {', '.join(types)}))"


_IN_JSON = {
    "double": "varchar(40)",
    "enum": "longtext",
    "set": "longtext",
    "binary": "longtext",
    "bit": "bigint unsigned",
    "year": "integer",
    "uuid": "varchar(36)",
}
"""The types in which a JSON_TABLE gives values that the server then turns into the column's own type."""


def _json_type(column: Column) -> str:
    if column.kind == "text":
        return "longtext" if column.octets else f"varchar({column.characters}) CHARACTER SET utf8mb4"
    if column.kind in _IN_JSON:
        return _IN_JSON[column.kind]
    return f"datetime({column.digits})" if column.kind == "datetime" else column.declared
