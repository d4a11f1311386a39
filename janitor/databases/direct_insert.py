"""Rows that are inserted together, by a statement that is compiled once: see `direct.py`.

many rows              go as one JSON text of what differs
a few, to a server     go as they are: JSON_TABLE costs it an eighth of a millisecond
what all have alike    goes once
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, Executable, Table, bindparam, insert, select

from janitor.databases.direct import FEW, NOTHING, Direct, a_table

MOST_BYTES = 1_000_000
"""So long a text with rows may be; longer ones go in several statements."""
NUL = r"\u0000"


class DirectInsert:
    """An INSERT of rows into a table, in one statement for each megabyte."""

    def __init__(self, table: Table, columns: Sequence[str], same: Sequence[str] = ()) -> None:
        """`columns` are the columns in the order of a row's values; `same` have one value for all rows."""
        self._table, self._columns, self._same = table, columns, same
        self._made: dict[tuple[str, Sequence[str], int], Direct] = {}

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]], same: Mapping[str, Any] = NOTHING) -> int:
        """Insert rows; the values of a row stand in the order of the columns.

        If the table gives ids, that of the first row is returned, and all others are larger; there may be gaps.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        if not rows:
            return 0
        columns = dict(zip(self._columns, zip(*rows, strict=True), strict=True))
        alike = {name: values[0] for name, values in columns.items() if values.count(values[0]) == len(values)}
        if len(rows) > 1 and len(alike) == len(columns):
            del alike[self._columns[0]]
        differing = tuple(name for name in self._columns if name not in alike)
        given = {**same, **alike}
        if not differing:
            return self._insertion(connection.dialect, differing).inserted(connection, given)
        if connection.dialect.name != "sqlite" and len(rows) <= FEW and _are_short(rows):
            values = {f"{name}_{at}": value for name in differing for at, value in enumerate(columns[name])}
            return self._insertion(connection.dialect, differing, len(rows)).inserted(connection, {**given, **values})
        insertion = self._insertion(connection.dialect, differing)
        written = [_written(columns[name], self._table.c[name].type, connection.dialect) for name in differing]
        texts = list(_texts(list(zip(*written, strict=True))))
        if any(NUL in text for text, _ in texts):  # SQLite ends a text of JSON there
            return [self.run(connection, [row], same) for row in rows][0]
        found = [insertion.inserted(connection, {**given, "rows": text}) for text, _ in texts][0]
        # SQLite tells the last id. It gives one after the other: nobody else writes meanwhile.
        return found + 1 - texts[0][1] if connection.dialect.name == "sqlite" else found

    def _insertion(self, dialect: Dialect, differing: Sequence[str], few: int = 0) -> Direct:
        key = dialect.name, differing, few
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Direct(self._statement(dialect.name, differing, few))
        return made

    def _statement(self, dialect: str, differing: Sequence[str], few: int) -> Executable:
        alike = [name for name in (*self._same, *self._columns) if name not in differing]
        same = {name: bindparam(name, type_=self._table.c[name].type) for name in alike}
        if not differing:
            return insert(self._table).values(same)
        if few:
            own = [
                {name: bindparam(f"{name}_{at}", type_=self._table.c[name].type) for name in differing}
                for at in range(few)
            ]
            return insert(self._table).values([{**same, **one} for one in own])
        source, found = a_table(dialect, "rows", [self._table.c[name].type for name in differing])
        query = select(*same.values(), *found).select_from(source)
        return insert(self._table).from_select([*alike, *differing], query)


def _written(values: Sequence[Any], kind: Any, dialect: Dialect) -> Sequence[Any]:
    """The values of a column as they stand in a text with rows; a type says by `to_text` how it writes them."""
    process = kind.to_text if hasattr(kind, "to_text") else kind.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else [None if value is None else process(value) for value in values]


def _texts(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, int]]:
    """Rows as JSON texts of no more than a megabyte, if they are several; and how many are in each."""
    text = orjson.dumps(rows)
    if len(text) <= MOST_BYTES or len(rows) == 1:
        yield text.decode(), len(rows)
        return
    half = len(rows) // 2
    yield from _texts(rows[:half])
    yield from _texts(rows[half:])


def _are_short(rows: Sequence[Sequence[Any]]) -> bool:
    return sum(len(value) for row in rows for value in row if isinstance(value, str)) <= MOST_BYTES // 4
