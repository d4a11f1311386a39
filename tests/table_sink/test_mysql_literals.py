"""Values as SQL text: a server reads back each value as it was given."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from janitor import databases
from janitor.table_sink.column import Column, Row
from janitor.table_sink.mysql_literals import json_table, literals, pieces, value_lists
from tests.servers import SqlServer
from tests.table_sink.places import QUOTED

NUMBER = Column("number", "integer", False, "tinyint")
WORD = Column("word", "text", True, "varchar(40)", characters=40)


@pytest.fixture
def connection(mariadb: SqlServer) -> Iterator[Connection]:
    with databases.read(mariadb.create_database()) as opened:
        yield opened


def read_back(connection: Connection, statement: str) -> list[Row]:
    return list(map(tuple, connection.exec_driver_sql(statement, None, {"no_parameters": True})))


@pytest.mark.parametrize("values", [["plain", 7, None, "é"], [*QUOTED, "\x00\x01", None, -2]])
def test_literals_are_read_back_as_given(connection: Connection, values: list[Any]) -> None:
    assert read_back(connection, f"SELECT {literals(connection, values)}") == [tuple(values)]


@pytest.mark.parametrize("words", [("a", "b", "c"), ("],[", "b", "c"), ("back\\slash", "it's", None)])
def test_rows_of_a_statement_are_read_back(connection: Connection, words: tuple[Any, ...]) -> None:
    rows = [(number, word) for number, word in enumerate(words)]
    (values,) = value_lists(connection, rows, ",'end'", most=10_000)
    assert read_back(connection, f"VALUES ({values})") == [(*row, "end") for row in rows]


def test_bytes_are_read_back_as_given(connection: Connection) -> None:
    rows = [(1, b"\x00'\\\xff"), (2, b""), (3, None)]
    (values,) = value_lists(connection, rows, "", most=10_000, binary=True)
    assert read_back(connection, f"VALUES ({values})") == rows


def test_many_rows_are_more_than_one_statement(connection: Connection) -> None:
    rows = [(number, "x" * 8) for number in range(5)]
    statements = list(value_lists(connection, rows, ",7", most=30))
    assert len(statements) == 3 and max(map(len, statements)) <= 32
    assert [row for values in statements for row in read_back(connection, f"VALUES ({values})")] == [
        (*row, 7) for row in rows
    ]


def test_a_text_over_the_limit_is_a_piece_of_its_own() -> None:
    texts = ["12345", "67890", "x" * 11, "a"]
    assert list(pieces(texts, 10)) == [["12345", "67890"], ["x" * 11], ["a"]]
    assert list(pieces([], 10)) == []


def test_pieces_are_counted_in_bytes() -> None:
    assert list(pieces(["éé", "éé", "éé", "aé"], 8)) == [["éé", "éé"], ["éé", "aé"]]


def test_rows_become_a_table_whatever_they_hold(connection: Connection) -> None:
    rows = [(number, word) for number, word in enumerate([*QUOTED, None])]
    made = json_table([json.dumps(row) for row in rows], [NUMBER, WORD])
    assert read_back(connection, f"SELECT o, c0, c1 FROM {made} AS rows_given ORDER BY o") == [
        (number + 1, number, word) for number, word in rows
    ]


def test_values_at_the_limits_of_a_column_come_whole(connection: Connection) -> None:
    rows = [(-128, "é" * 40), (127, None)]
    made = json_table([json.dumps(row) for row in rows], [NUMBER, WORD])
    assert read_back(connection, f"SELECT c0, c1 FROM {made} AS rows_given ORDER BY o") == rows
