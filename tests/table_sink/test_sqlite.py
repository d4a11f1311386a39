"""The statements of a sink on SQLite, each on a table of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Connection, create_engine

from janitor.table_sink.column import Column
from janitor.table_sink.layout import Layout
from janitor.table_sink.plan import Change
from janitor.table_sink.sqlite import SqliteTable

KEY = Column("key", "text", False, "TEXT")
SIZE = Column("size", "integer", True, "INTEGER")
OWNER = Column("owner", "text", False, "TEXT")
STAMP = Column("changed", "datetime", False, "DATETIME", textual=True)
LAYOUT = Layout("odd table", ("key",), (KEY, SIZE, OWNER), ("owner",), ("id",), None, STAMP)
TABLE = SqliteTable(LAYOUT)
MINE = {"owner": "me"}
THEN, NOW = datetime(2026, 7, 1, 12), datetime(2026, 7, 2, 12, 30)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A table with three rows: two of this owner, between them another's."""
    with create_engine("sqlite://").connect() as made:
        made.exec_driver_sql(
            'CREATE TABLE "odd table" (id INTEGER PRIMARY KEY, key TEXT, size INTEGER, owner TEXT, changed DATETIME)'
        )
        TABLE.insert(made, [("a", 1, "me"), ("b", 2, "you"), ("c", None, "me")], THEN)
        yield made


def rows(connection: Connection) -> list[tuple[object, ...]]:
    return list(map(tuple, connection.exec_driver_sql('SELECT key, size, owner, changed FROM "odd table" ORDER BY id')))


def test_only_rows_that_differ_are_suspects(connection: Connection) -> None:
    given = [("a", 1, "me"), ("b", 3, "you"), ("d", 4, "me")]
    assert TABLE.suspects(connection, given) == (given[1:], 2)


def test_an_update_changes_the_row_under_its_stored_key(connection: Connection) -> None:
    TABLE.update(connection, [Change(("a", 5, "me"), ("A", 7, "me"))], NOW)
    assert rows(connection)[0] == ("A", 7, "me", "2026-07-02 12:30:00.000000")
    assert rows(connection)[1] == ("b", 2, "you", "2026-07-01 12:00:00.000000")


def test_only_the_owners_rows_are_deleted(connection: Connection) -> None:
    assert TABLE.delete(connection, ["a", "a", "b", "none"], MINE) == 1
    assert [row[0] for row in rows(connection)] == ["b", "c"]


@pytest.mark.parametrize(
    ("collation", "homes"),
    [
        ("BINARY", [(0, None), (1, "a"), (2, None), (3, None)]),
        ("NOCASE", [(0, "a"), (0, "a"), (1, None), (2, None)]),
        ("RTRIM", [(0, None), (1, "a"), (1, "a"), (2, None)]),
    ],
)
def test_keys_that_are_the_same_share_a_home(
    connection: Connection, collation: str, homes: list[tuple[int, str | None]]
) -> None:
    table = SqliteTable(replace(LAYOUT, columns=(replace(KEY, collation=collation), SIZE, OWNER)))
    assert table.homes(connection, ["A", "a", "a ", "Ä"]) == homes


def test_a_walk_gives_the_owners_rows_page_by_page(connection: Connection) -> None:
    TABLE.insert(connection, [("d\x1f", 4, "me"), ("e", 5, "me")], THEN)
    first, after = TABLE.texts(connection, None, 2, MINE)
    second, end = TABLE.texts(connection, after, 3, MINE)
    rest, last = TABLE.texts(connection, end, 3, MINE)
    assert (first.texts, first.apart, after) == ({"a\x1f1"}, [], (2,))
    assert (second.texts, second.apart, end) == ({"c\x1fN", "e\x1f5"}, ["d\x1f"], (5,))
    assert (rest.texts, rest.apart, last) == (set(), [], None)
