"""Migrations: they make the tables as stated, from nothing, from what was cut off, and from two sides at once."""

import multiprocessing
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, select, text

from janitor.state import State, cursors, quarantine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import SCHEMA_VERSION, memories, metadata
from tests.small_engine import migrated, now, remember_run, rows_of


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


def test_what_runs_have_remembered_is_found_by_their_jobs(state: State) -> None:
    # Given a state database of an earlier release: two jobs of one task have saved its cursor and kept a row, and the
    # run of another row is gone. What happens: the upgrade, twice. What must hold: each job has the name, once.
    for job in ("follow", "reconcile"):
        remember_run(state, job, now())
    with state.begin() as connection:
        first, second = (row.id for row in rows_of(state))
        cursors.save(connection, "task", "seven", now(), first)
        quarantine.put(connection, "task", [Quarantined("a", "why"), Quarantined("b", "why")], now(), second)
        quarantine.put(connection, "other", [Quarantined("a", "why")], now(), 99)
        connection.execute(text("DROP TABLE memories"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    for _ in range(2):
        state.migrate()
        with state.begin() as connection:
            assert connection.execute(select(memories)).all() == [("follow", "task"), ("reconcile", "task")]
            connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))


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
