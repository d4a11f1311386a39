"""Steps of migrations: each may be taken twice, and the second time changes nothing.

Given: a database that has a table already, with a row.
What happens: a step is taken, and taken again, as by a migration that was cut off.
What must hold: what was missing is there, and the row is there too.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from janitor.state.migrations.steps import add_column, add_index, add_table


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    """A database with the table `tools`, in which there is a hammer."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'tools.db'}")
    with engine.begin() as made:
        made.exec_driver_sql("CREATE TABLE tools (name VARCHAR(64) NOT NULL PRIMARY KEY)")
        made.exec_driver_sql("INSERT INTO tools VALUES ('hammer')")
        yield made
    engine.dispose()


def twice(connection: sa.Connection, step: Callable[[], None]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        step()
        step()


def test_a_table_that_is_there_keeps_its_rows(connection: sa.Connection) -> None:
    def step() -> None:
        for name in ("tools", "boxes"):
            add_table(name, sa.Column("name", sa.String(64), primary_key=True))

    twice(connection, step)
    assert connection.exec_driver_sql("SELECT name FROM tools").all() == [("hammer",)]
    assert connection.exec_driver_sql("SELECT name FROM boxes").all() == []


def test_a_column_is_added_once(connection: sa.Connection) -> None:
    twice(connection, lambda: add_column("tools", sa.Column("weight", sa.Integer())))
    assert connection.exec_driver_sql("SELECT name, weight FROM tools").all() == [("hammer", None)]


def test_an_index_is_made_once(connection: sa.Connection) -> None:
    twice(connection, lambda: add_index("tools_by_name", "tools", ["name"]))
    (index,) = sa.inspect(connection).get_indexes("tools")
    assert (index["name"], index["column_names"]) == ("tools_by_name", ["name"])
