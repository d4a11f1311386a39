"""Statements that are compiled once, and go straight to the driver: for the few that run for each item, or each batch.

SQLAlchemy takes 50 us around a statement for which SQLite takes 5. A list of 500 ids takes it a millisecond. The
drivers let other threads go on at each row, and wait for their turn again each time. So here

    a list            goes as one JSON text to SQLite, and with the statement to a server
    rows that come    come as one JSON text, if they are asked for `together`; a few from a server as one text each
    rows to insert    are in `direct_insert.py`

`python -m benchmarks --only items` measures what that brings. Events of SQLAlchemy, such as the limits of statements,
and the words for errors are as everywhere. This file uses what SQLAlchemy does not document: where the values of a
compiled statement stand, how a list is written, the limit. If that changes, the tests of this file fail.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter, methodcaller
from typing import Any
from weakref import WeakSet

import orjson
from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Executable,
    Float,
    Integer,
    Select,
    String,
    TypeDecorator,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

from janitor.databases.engines import raise_translated
from janitor.databases.json_rows import rows_in

FIRST, LAST = "the first", "the last"
_LIST = re.compile(r"([\w.`\"]+(?: NOT)?) IN \(__\[POSTCOMPILE_(\w+)\]\)")
MOST_RANGES = 8
"""Whole numbers go as ranges if they are so few."""
FEW = 8
"""For so many rows a server is asked in another way, that costs it less for a few, and more for many."""
_EACH, _ALL_ROWS = "each", "all"
"""What comes as one text."""
NOTHING: Mapping[str, Any] = {}
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
        _known.add(self)
        self._made: dict[tuple[str, str], _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> list[Row]:
        """What a query finds.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        if self._together:
            found = (
                self._few(connection, values) if self._are_few(connection, values) else self._all(connection, values)
            )
            if found is not None:
                return found
        made = self._compiled(connection)
        return made.rows(_fetched(connection, *made.filled(values)))

    def _are_few(self, connection: Connection, values: Mapping[str, Any]) -> bool:
        """Whether few rows are asked for: MariaDB takes a quarter of a millisecond to put texts together."""
        if connection.dialect.name == "sqlite":
            return False
        lists = [len(one) for one in values.values() if isinstance(one, list)]
        return bool(lists) and max(lists) <= FEW

    def _few(self, connection: Connection, values: Mapping[str, Any]) -> list[Row] | None:
        """What a query finds, each row as one text; None if the server left one out that was too long."""
        made = self._compiled(connection, _EACH)
        texts = [text for (text,) in _fetched(connection, *made.filled(values))]
        return None if None in texts else made.rows([orjson.loads(text) for text in texts])

    def _all(self, connection: Connection, values: Mapping[str, Any]) -> list[Row] | None:
        """What a query finds, all rows as one text; None if the server cut it."""
        made = self._compiled(connection, _ALL_ROWS)
        ((count, text),) = _fetched(connection, *made.filled(values))
        found = rows_in(text)
        return made.rows(found) if len(found) == count else None

    def run(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> int:
        """Change what is to be changed; how many rows.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        return self._run(connection, values, _NUMBER)

    def inserted(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> int:
        """Insert rows; the id that the driver tells: of the last row on SQLite, of the first on a server.

        Raises:
            Unavailable, Rejected, StatementTimeout: as any statement does.
        """
        return self._run(connection, values, _ID)

    def prepare(self, connection: Connection) -> None:
        """Compile it now, so that the first who uses it need not wait."""
        for texts in self._forms(connection.dialect):
            self._compiled(connection, texts)

    def is_prepared(self, dialect: Dialect) -> bool:
        """Whether it is compiled in each form that a kind of database may be sent."""
        return all((dialect.name, texts) in self._made for texts in self._forms(dialect))

    def _forms(self, dialect: Dialect) -> Sequence[str]:
        if not self._together:
            return ("",)
        return (_ALL_ROWS,) if dialect.name == "sqlite" else (_ALL_ROWS, _EACH)

    def _run(self, connection: Connection, values: Mapping[str, Any], take: Take) -> int:
        found: int = _executed(connection, *self._compiled(connection).filled(values), take)
        return found

    def _compiled(self, connection: Connection, texts: str = "") -> _Compiled:
        kind = connection.dialect.name, texts
        made = self._made.get(kind)
        if made is None:
            plain: Any = self._statement
            asked = plain if not texts else (_in_texts if texts == _EACH else _in_one_text)(plain, kind[0])
            made = self._made[kind] = _compile(asked, plain, connection, as_texts=bool(texts))
        return made


_known: "WeakSet[Direct]" = WeakSet()


def prepare_all(connection: Connection) -> None:
    """Compile all statements that there are: it takes a millisecond each, and a first item would wait for twenty."""
    for one in list(_known):
        one.prepare(connection)


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


def _in_texts(query: Select[Any], dialect: str) -> Select[Any]:
    """A query each of whose rows is a text."""
    return query.with_only_columns(func.JSON_ARRAY(*query.selected_columns), maintain_column_froms=True)


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


def _compile(statement: Any, plain: Any, connection: Connection, as_texts: bool) -> _Compiled:
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
        read=_reading(types, dialect, as_texts=as_texts),
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
    found = [(at, _of_text(one, dialect) if as_texts else _read_by(one, dialect)) for at, one in enumerate(types)]
    return [(at, process) for at, process in found if process is not None]


def _of_text(kind: Any, dialect: Dialect) -> Read | None:
    if isinstance(kind, Boolean):  # from MariaDB it comes as false, 0 or "0"
        return _bool_of
    return kind.from_text if hasattr(kind, "from_text") else _read_by(kind, dialect)


def _bool_of(value: Any) -> bool:
    return bool(int(value))


def _read_by(kind: Any, dialect: Dialect) -> Read | None:
    found: Read | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found


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
