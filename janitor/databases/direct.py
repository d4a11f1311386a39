"""Statements that are compiled once, and go straight to the driver: for the few that run for each item, or each batch.

SQLAlchemy takes 50 us around a statement for which SQLite takes 5. A list of 500 ids takes it a millisecond. The
drivers let other threads go on at each row, and wait for their turn again each time. So here

    a list            goes as one JSON text to SQLite, and with the statement to a server
    rows to insert    go as one JSON text of what differs: 500 rows are one statement, and a value for each column else
    rows that come    come as one JSON text, if they are asked for `together`

`python -m benchmarks --only items` measures what that brings. Events of SQLAlchemy, such as the limits of statements,
and the words for errors are as everywhere. This file uses what SQLAlchemy does not document: where the values of a
compiled statement stand, how a list is written, the limit. If that changes, the tests of this file fail.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter, methodcaller
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Executable,
    Float,
    Integer,
    Select,
    String,
    Table,
    TypeDecorator,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

from janitor.databases.engines import raise_translated
from janitor.databases.json_rows import rows_in

MOST_BYTES = 1_000_000
"""So long a text with rows may be; longer ones go in several statements."""
FIRST, LAST = "the first", "the last"
NUL = r"\u0000"
_LIST = re.compile(r"([\w.`\"]+(?: NOT)?) IN \(__\[POSTCOMPILE_(\w+)\]\)")
MOST_RANGES = 8
"""Whole numbers go as ranges if they are so few."""
_NOTHING: Mapping[str, Any] = {}
Row = tuple[Any, ...]
Values = tuple[Any, ...] | dict[str, Any]
Read = Callable[[Any], Any]
"""Makes a value of a column's type, or what is written of one."""
Take = Callable[[Any], Any]
"""Takes something of the driver's cursor."""
_ALL: Take = methodcaller("fetchall")
_NUMBER: Take = attrgetter("rowcount")
_ID: Take = attrgetter("lastrowid")


def a_list(name: str) -> BindParameter[Any]:
    """A parameter that is a list, for `in_` of a column; not an empty one, and no text in it has a NUL character."""
    return bindparam(name, expanding=True)


def as_json(values: Sequence[Any]) -> str:
    """Values, or rows, as a parameter takes them that is a JSON text."""
    return orjson.dumps(values).decode()


def a_table(dialect: str, name: str, types: Sequence[TypeEngine[Any]]) -> tuple[Any, Sequence[ColumnElement[Any]]]:
    """A parameter that is a text of `as_json` with rows, to select from, and its columns, which have these types."""
    text: BindParameter[str] = bindparam(name, type_=String())
    if dialect == "sqlite":
        source: Any = func.json_each(text).table_valued("value", name="given")
        return source, [func.json_extract(source.c.value, f"$[{at}]", type_=one) for at, one in enumerate(types)]
    parts = ", ".join(f"v{at} {_type_of(one)} PATH '$[{at}]' ERROR ON ERROR" for at, one in enumerate(types))
    source = func.JSON_TABLE(text, literal_column(f"'$[*]' COLUMNS ({parts})"))
    source = source.table_valued(*(f"v{at}" for at in range(len(types))), name="given")
    return source, list(source.c)


@dataclass(frozen=True)
class _Compiled:
    """A statement as one kind of database takes it, and how its values are written and read.

    `names` are those of the values in their places; a driver that takes them by name has no `places`. `lists` are the
    names of lists, each with its column. `ranged` is the same statement for a list of numbers without gaps; its values
    are called FIRST and LAST.
    """

    text: str
    names: Sequence[str]
    places: bool
    lists: Mapping[str, str]
    defaults: Mapping[str, Any]
    written: Mapping[str, Read]
    read: Sequence[tuple[int, Read]]
    ranged: "_Compiled | None" = None

    def filled(self, given: Mapping[str, Any]) -> tuple[str, Values]:
        """The statement and its values as the driver takes them."""
        if self.ranged is not None:
            ends = _ends(given[next(iter(self.lists))])
            if ends is not None:
                return self.ranged.filled({**given, FIRST: ends[0], LAST: ends[1]})
        found, text = {**self.defaults, **given}, self.text
        for name, process in self.written.items():
            found[name] = process(found[name])
        if self.places:
            return text, tuple(map(found.__getitem__, self.names))
        for name, column in self.lists.items():
            if set(map(type, found[name])) == {int}:  # the driver takes a microsecond for each
                text = text.replace(f"{column} IN %({name})s", _among(column, found.pop(name)))
        return text, found

    def rows(self, found: Sequence[Any]) -> list[Row]:
        """Rows as they were read, each value in its type."""
        if not self.read:
            return list(map(tuple, found))
        made = list(map(list, found))
        for at, process in self.read:
            for row in made:
                if row[at] is not None:
                    row[at] = process(row[at])
        return list(map(tuple, made))


class Direct:
    """One statement; connections to any kind of database may use it. What it reads comes as tuples."""

    def __init__(self, statement: Executable, *, together: bool = False) -> None:
        """Nothing is compiled yet.

        `together` has all rows come as one text, in no promised order; other numbers than whole ones lose digits. If
        the server cuts the text, they come row by row.
        """
        self._statement, self._together = statement, together
        self._made: dict[tuple[str, bool], _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """What a query finds.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        if self._together:
            made = self._compiled(connection, True)
            ((count, text),) = _fetched(connection, *made.filled(values))
            found = rows_in(text)
            if len(found) == count:
                return made.rows(found)
        made = self._compiled(connection, False)
        return made.rows(_fetched(connection, *made.filled(values)))

    def run(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> int:
        """Change what is to be changed; how many rows.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        return self._run(connection, values, _NUMBER)

    def inserted(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> int:
        """Insert rows; the id that the driver tells: of the last row on SQLite, of the first on a server.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        return self._run(connection, values, _ID)

    def _run(self, connection: Connection, values: Mapping[str, Any], take: Take) -> int:
        found: int = _executed(connection, *self._compiled(connection, False).filled(values), take)
        return found

    def _compiled(self, connection: Connection, together: bool) -> _Compiled:
        kind = connection.dialect.name, together
        made = self._made.get(kind)
        if made is None:
            statement: Any = self._statement
            made = _compile(
                _in_one_text(statement, kind[0]) if together else statement, statement, connection, together
            )
            self._made[kind] = made
        return made


class DirectInsert:
    """An INSERT of many rows into a table: what differs goes as one JSON text, in one statement for each megabyte."""

    def __init__(self, table: Table, columns: Sequence[str], same: Sequence[str] = ()) -> None:
        """`columns` are the columns in the order of a row's values; `same` have one value for all rows."""
        self._table, self._columns, self._same = table, columns, same
        self._made: dict[tuple[str, Sequence[str]], Direct] = {}

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]], same: Mapping[str, Any] = _NOTHING) -> int:
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
        insertion, given = self._insertion(connection.dialect, differing), {**same, **alike}
        if not differing:
            return insertion.inserted(connection, given)
        written = [_written(columns[name], self._table.c[name].type, connection.dialect) for name in differing]
        texts = list(_texts(list(zip(*written, strict=True))))
        if any(NUL in text for text, _ in texts):  # SQLite ends a text of JSON there
            return [self.run(connection, [row], same) for row in rows][0]
        found = [insertion.inserted(connection, {**given, "rows": text}) for text, _ in texts][0]
        # SQLite tells the last id. It gives one after the other: nobody else writes meanwhile.
        return found + 1 - texts[0][1] if connection.dialect.name == "sqlite" else found

    def _insertion(self, dialect: Dialect, differing: Sequence[str]) -> Direct:
        key = dialect.name, differing
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Direct(self._statement(dialect.name, differing))
        return made

    def _statement(self, dialect: str, differing: Sequence[str]) -> Executable:
        alike = [name for name in (*self._same, *self._columns) if name not in differing]
        same = [bindparam(name, type_=self._table.c[name].type) for name in alike]
        if not differing:
            return insert(self._table).values({name: value for name, value in zip(alike, same, strict=True)})
        source, found = a_table(dialect, "rows", [self._table.c[name].type for name in differing])
        query = select(*same, *found).select_from(source)
        return insert(self._table).from_select([*alike, *differing], query)


def _type_of(kind: TypeEngine[Any]) -> str:
    """The type of a column in JSON_TABLE."""
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(plain, DateTime):
        return "DATETIME(6)"
    if isinstance(plain, Integer):
        return "BIGINT"
    if isinstance(plain, Float):
        return "DOUBLE"
    length = getattr(plain, "length", None)
    # MariaDB cuts what is too long here. Of one character more the table itself says that it is too long.
    return f"VARCHAR({length + 1})" if length else "MEDIUMTEXT"


def _in_one_text(query: Select[Any], dialect: str) -> Select[Any]:
    """A query whose one row is the number of rows, and all of them as one text."""
    if query._limit_clause is not None:  # what is cut off is counted before
        inner = query.subquery("found")
        return select(*_aggregated(list(inner.c), dialect)).select_from(inner)
    return query.order_by(None).with_only_columns(*_aggregated(list(query.selected_columns), dialect))


def _aggregated(columns: Sequence[Any], dialect: str) -> tuple[Any, Any]:
    if dialect == "sqlite":
        return func.count(), func.json_group_array(func.json_array(*columns))
    return func.count(), func.JSON_ARRAYAGG(func.JSON_ARRAY(*columns))


def _compile(statement: Any, plain: Any, connection: Connection, together: bool) -> _Compiled:
    dialect = connection.dialect
    made = statement.compile(dialect=dialect)
    lists = {name: column for column, name in _LIST.findall(made.string)}
    names = tuple(made.positiontup or ())
    as_list = r"\1 IN (SELECT value FROM json_each(?))" if dialect.name == "sqlite" else r"\1 IN %(\2)s"
    written: dict[str, Read | None] = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) for bind, name in made.bind_names.items()
    }
    written |= dict.fromkeys(lists, as_json if dialect.name == "sqlite" else tuple)
    types = [column.type for column in plain.selected_columns] if isinstance(plain, Select) else []
    found = _Compiled(
        text=_LIST.sub(as_list, made.string),
        names=names,
        places=made.positional,
        lists=lists,
        defaults=dict(made.params),
        written={name: process for name, process in written.items() if process is not None},
        read=_reading(types, dialect, as_texts=together),
    )
    if dialect.name != "sqlite" or len(lists) != 1:
        return found
    [name], [at] = lists, [at for at, one in enumerate(names) if one in lists]
    return replace(
        found,
        ranged=replace(
            found,
            text=_LIST.sub(r"\1 BETWEEN ? AND ?", made.string),
            names=(*names[:at], FIRST, LAST, *names[at + 1 :]),
            written={one: process for one, process in found.written.items() if one != name},
        ),
    )


def _reading(types: Sequence[Any], dialect: Dialect, as_texts: bool) -> list[tuple[int, Read]]:
    """How values become those of their types, by place; a type says by `from_text` how it reads a text with rows."""
    found = [
        (at, one.from_text if as_texts and hasattr(one, "from_text") else _read_by(one, dialect))
        for at, one in enumerate(types)
    ]
    return [(at, process) for at, process in found if process is not None]


def _read_by(kind: Any, dialect: Dialect) -> Read | None:
    found: Read | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found


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


def _ends(numbers: Sequence[Any]) -> tuple[int, int] | None:
    """The first and the last of whole numbers without gaps; None if there are gaps, or other values."""
    if set(map(type, numbers)) != {int}:
        return None
    first, last = min(numbers), max(numbers)
    return (first, last) if last - first == len(set(numbers)) - 1 else None


def _among(column: str, numbers: Sequence[int]) -> str:
    """That a column has one of these numbers: in ranges if they are few, which a server finds faster than each."""
    if column.endswith(" NOT"):
        return f"NOT {_among(column.removesuffix(' NOT'), numbers)}"
    ordered = sorted(numbers)
    firsts = [at for at, (one, other) in enumerate(pairwise(ordered), 1) if other - one > 1]
    if len(firsts) >= MOST_RANGES or len(ordered) <= MOST_RANGES:
        return f"{column} IN ({','.join(map(str, ordered))})"
    ends = zip([0, *firsts], [*firsts, len(ordered)], strict=True)
    return f"({' OR '.join(f'{column} BETWEEN {ordered[a]} AND {ordered[b - 1]}' for a, b in ends)})"


def _executed(connection: Connection, text: str, values: Values, take: Take) -> Any:
    """Have a statement executed; what is taken of its cursor."""
    driver: Any = connection.connection.driver_connection
    cursor, is_done = driver.cursor(), False
    if told := connection.dispatch.before_cursor_execute:
        for listener in told:
            listener(connection, cursor, text, values, None, False)
    try:
        cursor.execute(text, values)
        found = take(cursor)
        is_done = True
    except (connection.dialect.loaded_dbapi.Error, OSError) as exc:
        is_done = True
        raise_translated(connection, exc)
        raise
    finally:
        if not is_done:  # a thread was ended in the middle of an answer: nobody can read the next
            connection.invalidate()
        cursor.close()
    return found


def _fetched(connection: Connection, text: str, values: Values) -> Sequence[Any]:
    found: Sequence[Any] = _executed(connection, text, values, _ALL)
    return found
