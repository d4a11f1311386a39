"""What `check` tells of a target: what may refuse or change rows there, and what refuses every row."""

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.errors import Rejected
from janitor.table_sink import TableSink, Written
from tests.table_sink.places import NOW
from tests.table_sink.test_refusals import COLUMNS, TUBE, execute, refuse_in_a_trigger


def told(url: URL, more: str = "", *further: str) -> list[str]:
    """What is told of a table of tubes, without its place."""
    execute(url, TUBE.format(more=more), *further)
    found = TableSink(url, "tube", "name", COLUMNS).check()
    return [sentence.removeprefix(f"tube at {databases.place(url)}: ") for sentence in found]


def test_a_plain_table_is_no_concern(database_url: URL) -> None:
    assert told(database_url) == []


def test_triggers_and_constraints_are_told(database_url: URL) -> None:
    rack = "CREATE TABLE rack (id integer PRIMARY KEY)"
    execute(database_url, rack)
    more = ", UNIQUE (slot, rack), CONSTRAINT to_rack FOREIGN KEY (rack) REFERENCES rack (id)"
    trigger, constraints = told(database_url, more, refuse_in_a_trigger(database_url))
    assert trigger == "rows that a trigger refuses or changes go to quarantine (no13)"
    name = "a foreign key to rack" if database_url.drivername == "sqlite" else "to_rack"
    assert constraints == f"rows that a constraint refuses go to quarantine ({name}, unique slot and rack)"


def test_engines_and_character_sets_are_told(mariadb_url: URL) -> None:
    execute(mariadb_url, "CREATE TABLE t (k int PRIMARY KEY, a varchar(9) CHARACTER SET latin1) ENGINE=MyISAM")
    engine, charset = TableSink(mariadb_url, "t", "k", ("k", "a")).check()
    assert engine.endswith("MyISAM has no transactions, so a run that is cut off leaves a part of its rows")
    assert charset.endswith("rows with characters that latin1 cannot hold go to quarantine (a)")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (", owner varchar(9) NOT NULL", "every new row would be refused, as owner must have a value and this task"),
        (", owner varchar(9) NOT NULL DEFAULT 'me'", None),
    ],
)
def test_a_column_without_default_is_wrong(database_url: URL, more: str, words: str | None) -> None:
    if words is None:
        assert told(database_url, more) == []
        return
    with pytest.raises(Rejected, match=words):
        told(database_url, more)


def test_a_column_that_the_server_makes_is_wrong(database_url: URL) -> None:
    execute(
        database_url,
        "CREATE TABLE t (k integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a + 1) STORED, id integer)",
    )
    assert TableSink(database_url, "t", "k", ("k", "a")).check() == []
    with pytest.raises(Rejected, match="every row would be refused, as the server itself makes b"):
        TableSink(database_url, "t", "k", ("k", "a", "b")).check()


def test_rows_of_a_table_without_transactions_are_written(mariadb_url: URL) -> None:
    execute(mariadb_url, "CREATE TABLE t (k int PRIMARY KEY, a int NOT NULL UNIQUE) ENGINE=MyISAM")
    target = TableSink(mariadb_url, "t", "k", ("k", "a"))
    execute(mariadb_url, "INSERT INTO t VALUES (9, 90)")
    written = target.write([(1, 10), (2, 90), (3, 30)], NOW)
    assert [one.key for one in written.refused][-1:] == [2]
    assert execute(mariadb_url, "SELECT k, a FROM t ORDER BY k") == [(1, 10), (3, 30), (9, 90)]
    assert target.write([(1, 10), (3, 30)], NOW) == Written(unchanged=2)
