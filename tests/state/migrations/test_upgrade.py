"""Migrations: they make the tables as stated, from nothing, from each release, cut off, and from two sides at once."""

import logging
import multiprocessing
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, inspect, select, text

from janitor.errors import Fenced
from janitor.state import State, cursors
from janitor.state.migrations.plan import pending
from janitor.state.tables import SCHEMA_VERSION, memories, metadata
from tests.small_engine import migrated, now
from tests.state.migrations.older import RELEASED, kept, migrate_and_be_killed, older


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    """A state database of the test's own: its schema may be changed."""
    made = migrated(database_url)
    yield made
    made.close()


def migrate(url: URL) -> None:
    """Migrate, in a process of its own."""
    State(url).migrate()


def test_the_migrations_make_the_tables_as_stated(state: State) -> None:
    check_tables(state)


def check_tables(state: State) -> None:
    """Make sure that the tables are those of `tables.py`, at the newest version."""
    assert state.version() == SCHEMA_VERSION
    with state.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(state: State) -> None:
    with state.begin() as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
    state.migrate()
    with state.begin() as connection:
        assert cursors.load(connection, "feed") == "seven"


def test_a_migration_that_was_cut_off_goes_on(state: State) -> None:
    with state.begin() as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
        connection.execute(text("DROP TABLE run_logs"))
        connection.execute(text("DROP TABLE actions"))
        connection.execute(text("DELETE FROM alembic_version"))
        on_table = "" if state.engine.dialect.name == "sqlite" else " ON leases"
        connection.execute(text(f"DROP INDEX leases_of_holder{on_table}"))
    state.migrate()
    check_tables(state)
    with state.begin() as connection:
        assert cursors.load(connection, "feed") == "seven"


@pytest.mark.slow
@pytest.mark.parametrize("version", RELEASED)
def test_every_released_version_comes_to_the_newest(
    database_url: URL, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = older(database_url, version)
    with made.read() as connection:
        before = kept(connection)
    assert before["cursors"] and [one.version for one in made.pending()][0] > version
    caplog.set_level(logging.INFO, "janitor")
    assert made.migrate() is False
    check_tables(made)
    with made.read() as connection:
        assert kept(connection) == before
        # A release with that table has noted the names itself.
        noted = [("follow", "task")] if version < "0006" else []
        assert [tuple(row) for row in connection.execute(select(memories))] == noted
    steps = [record.getMessage() for record in caplog.records if record.name.startswith("janitor.state.migrations")]
    assert len(steps) == len(pending(version, SCHEMA_VERSION))
    assert steps[-1].startswith("schema 0007, step 22: make the table turns: done in ")
    made.close()


def test_a_migration_that_is_cut_off_leaves_the_old_version(database_url: URL) -> None:
    # Given: the database of a release three versions ago. The migration is cut off among the steps of the last version.
    # What must hold: the release that made it can go on with it. It knows no later version.
    made, left = older(database_url, "0003"), [6]

    def keep(connection: Connection) -> None:
        left[0] -= 1
        if not left[0]:
            raise Fenced("another daemon has taken over")

    with pytest.raises(Fenced):
        made.migrate(keep)
    with made.read() as connection:
        assert inspect(connection).has_table("refusals") and made.version() == "0003"
    made.migrate()
    check_tables(made)
    made.close()


def test_a_migration_goes_to_an_earlier_version_too(database_url: URL) -> None:
    made = State(database_url)
    assert made.migrate(to="0003") is True and made.version() == "0003"
    assert made.migrate(to="0002") is False and made.version() == "0003"
    made.migrate()
    check_tables(made)
    made.close()


@pytest.mark.slow
def test_a_migration_killed_again_and_again_goes_on(database_url: URL) -> None:
    # Given the oldest state database there is. The processes that migrate it are killed, all but the last.
    # What must hold: sooner or later a process comes to the end; nothing is there twice, and no row is lost.
    made = older(database_url, RELEASED[0])
    with made.read() as connection:
        before = kept(connection)
    made.close()
    migrate_and_be_killed(database_url)
    check_tables(made)
    with made.read() as connection:
        assert kept(connection) == before
    made.close()


@pytest.mark.slow
def test_two_that_migrate_at_once_both_end_well(database_url: URL) -> None:
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=migrate, args=(database_url,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    made = State(database_url)
    check_tables(made)
    made.close()
