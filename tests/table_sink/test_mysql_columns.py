"""Columns of MariaDB and MySQL: their kinds and limits as the server tells them, and the unique indexes."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import Connection, create_engine

from janitor.table_sink.mysql_columns import mysql_columns, mysql_indexes
from tests.servers import SqlServer

TABLE = """
CREATE TABLE t (
  id bigint unsigned NOT NULL, small smallint, code char(4) CHARACTER SET latin1 NOT NULL,
  note text CHARACTER SET utf8mb4, at datetime(3), stamp timestamp NULL, day date, share double,
  site varchar(9) CHARACTER SET swe7, shelf varchar(99),
  PRIMARY KEY (id), UNIQUE by_id (id), UNIQUE by_code (code), UNIQUE by_place (site, shelf), UNIQUE by_start (shelf(5)),
  KEY by_day (day)
)
"""


@pytest.fixture(scope="module")
def connection(mariadb_session: SqlServer) -> Iterator[Connection]:
    url = mariadb_session.create_database()
    engine = create_engine(url)
    with engine.connect() as made:
        made.exec_driver_sql(TABLE)
        yield made
    engine.dispose()
    mariadb_session.drop_database(url.database)


def test_each_column_has_the_kind_that_it_declares(connection: Connection) -> None:
    assert {name: column.kind for name, column in mysql_columns(connection, "t").items()} == {
        **{"id": "integer", "small": "integer", "code": "text", "note": "text", "shelf": "text"},
        **{"at": "datetime", "stamp": "datetime", "day": "date", "share": "double", "site": "unsupported"},
    }


def test_limits_are_those_that_the_server_tells(connection: Connection) -> None:
    columns = mysql_columns(connection, "t")
    assert (columns["id"].low, columns["id"].high) == (0, 2**64 - 1)
    assert (columns["small"].low, columns["small"].high) == (-(2**15), 2**15 - 1)
    assert (columns["code"].characters, columns["code"].octets, columns["code"].padded) == (4, None, True)
    assert (columns["note"].octets, columns["note"].charset, columns["note"].padded) == (65535, "utf8mb4", False)
    assert (columns["at"].digits, columns["stamp"].digits) == (3, 0)
    assert (columns["at"].low, columns["stamp"].low) == (datetime(1000, 1, 1), datetime(1970, 1, 1, 0, 0, 1))
    assert columns["day"].low == date(1000, 1, 1)
    assert [name for name, column in columns.items() if not column.nullable] == ["id", "code"]


def test_unique_indexes_are_told_with_their_columns(connection: Connection) -> None:
    assert sorted(mysql_indexes(connection, "t")) == [
        ("PRIMARY", ("id",), True),
        ("by_code", ("code",), True),
        ("by_id", ("id",), True),
        ("by_place", ("site", "shelf"), True),
        ("by_start", ("shelf",), False),
    ]


def test_a_table_that_is_not_there_has_no_columns(connection: Connection) -> None:
    assert (mysql_columns(connection, "nowhere"), mysql_indexes(connection, "nowhere")) == ({}, [])
