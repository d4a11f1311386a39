"""Columns of SQLite: their kinds and limits as the table declares them, and the unique indexes."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import Connection, create_engine

from janitor.table_sink.sqlite_columns import sqlite_columns, sqlite_indexes

TABLE = """
CREATE TABLE "odd ""name" (
  id INTEGER PRIMARY KEY, small SMALLINT UNSIGNED NOT NULL, word VARCHAR(40) NOT NULL, note TEXT, at DATETIME(3),
  stamp TIMESTAMP, day DATE, share DOUBLE, bare, code CHAR(4), site TEXT, shelf TEXT
)
"""
INDEXES = (
    'CREATE UNIQUE INDEX by_word ON "odd ""name" (word COLLATE NOCASE)',
    'CREATE UNIQUE INDEX by_place ON "odd ""name" (site, shelf)',
    'CREATE UNIQUE INDEX by_code ON "odd ""name" (code) WHERE code > \'a\'',
    'CREATE INDEX by_note ON "odd ""name" (note)',
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as made:
        for statement in (TABLE, *INDEXES):
            made.exec_driver_sql(statement)
        yield made


def test_each_column_has_the_kind_that_it_declares(connection: Connection) -> None:
    columns = sqlite_columns(connection, 'odd "name')
    assert {name: column.kind for name, column in columns.items()} == {
        **{"id": "integer", "small": "integer"},
        **{"word": "text", "note": "text", "code": "text", "site": "text", "shelf": "text"},
        **{"at": "datetime", "stamp": "datetime", "day": "date", "share": "double", "bare": "unsupported"},
    }


def test_limits_are_those_that_the_table_declares(connection: Connection) -> None:
    columns = sqlite_columns(connection, 'odd "name')
    assert (columns["id"].low, columns["id"].high) == (-(2**63), 2**63 - 1)
    assert (columns["small"].low, columns["small"].high) == (0, 2**16 - 1)
    assert (columns["word"].characters, columns["note"].characters) == (40, None)
    assert (columns["at"].digits, columns["stamp"].digits) == (3, 6)
    assert (columns["day"].low, columns["at"].high) == (date.min, datetime.max)
    assert [name for name, column in columns.items() if not column.nullable] == ["id", "small", "word"]
    assert (columns["word"].collation, columns["note"].collation) == ("NOCASE", "BINARY")
    assert all(column.textual for column in columns.values())


def test_unique_indexes_are_told_with_their_columns(connection: Connection) -> None:
    connection.exec_driver_sql('CREATE UNIQUE INDEX by_length ON "odd ""name" (site, length(shelf))')
    assert sorted(sqlite_indexes(connection, 'odd "name')) == [
        ("PRIMARY", ("id",), True),
        ("by_code", ("code",), False),
        ("by_length", ("site",), False),
        ("by_place", ("site", "shelf"), True),
        ("by_word", ("word",), True),
    ]


def test_a_table_that_is_not_there_has_no_columns(connection: Connection) -> None:
    assert (sqlite_columns(connection, "nowhere"), sqlite_indexes(connection, "nowhere")) == ({}, [])
