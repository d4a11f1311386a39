"""Steps of migrations: each may be taken twice, and the second time changes nothing.

Given: a database that has a table already, with a row.
What happens: a step is taken, and taken again, as by a migration that was cut off.
What must hold: what was missing is there, and the row is there too.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from janitor.errors import Fenced
from janitor.state.migrations.steps import AddColumn, AddIndex, AddTable, Step


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    """A database with the table `tools`, in which there is a hammer."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'tools.db'}", isolation_level="AUTOCOMMIT")
    with engine.connect() as made:
        with made.begin():
            made.exec_driver_sql("CREATE TABLE tools (name VARCHAR(64) NOT NULL PRIMARY KEY)")
            made.exec_driver_sql("INSERT INTO tools VALUES ('hammer')")
        yield made
    engine.dispose()


def twice(connection: sa.Connection, step: Callable[[], Step]) -> None:
    kept: list[int] = []
    for done in (False, True):
        with connection.begin():
            assert step().is_done(connection) == done
        step().take(connection, lambda connection: kept.append(1))
    assert len(kept) == 2


def test_a_table_is_made_once(connection: sa.Connection) -> None:
    twice(connection, lambda: AddTable("boxes", sa.Column("name", sa.String(64), primary_key=True)))
    assert connection.exec_driver_sql("SELECT name FROM tools").all() == [("hammer",)]
    assert connection.exec_driver_sql("SELECT name FROM boxes").all() == []


def test_a_column_is_added_once(connection: sa.Connection) -> None:
    twice(connection, lambda: AddColumn("tools", sa.Column("weight", sa.Integer())))
    assert connection.exec_driver_sql("SELECT name, weight FROM tools").all() == [("hammer", None)]


def test_an_index_is_made_once(connection: sa.Connection) -> None:
    twice(connection, lambda: AddIndex("tools_by_name", "tools", ["name"]))
    (index,) = sa.inspect(connection).get_indexes("tools")
    assert (index["name"], index["column_names"]) == ("tools_by_name", ["name"])


def test_of_a_table_that_is_still_to_be_made_nothing_is_done(connection: sa.Connection) -> None:
    assert not AddColumn("boxes", sa.Column("weight", sa.Integer())).is_done(connection)
    assert not AddIndex("boxes_by_name", "boxes", ["name"]).is_done(connection)


def test_only_a_column_that_may_be_null_is_added_at_once() -> None:
    with pytest.raises(AssertionError):
        AddColumn("tools", sa.Column("weight", sa.Integer(), nullable=False))


def test_who_has_no_say_any_more_changes_nothing_more(connection: sa.Connection) -> None:
    def keep(connection: sa.Connection) -> None:
        raise Fenced("another daemon has taken over")

    with pytest.raises(Fenced):
        AddIndex("tools_by_name", "tools", ["name"]).take(connection, keep)
