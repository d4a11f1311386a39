"""The state database: opened, migrated, and safe if it is away, full or cut off."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, inspect, text

from janitor.errors import Rejected, Unavailable
from janitor.state import State, cursors
from janitor.state.tables import OPTIONS, SCHEMA_VERSION, metadata
from tests.servers import SqlServer, free_port
from tests.small_engine import migrated, now


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    made = migrated(database_url)
    yield made
    made.close()


def migrate(url: URL) -> None:
    """In a process of its own."""
    State(url).migrate()


def test_the_migrations_make_the_tables_as_stated(state: State) -> None:
    assert state.version() == SCHEMA_VERSION
    with state.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_all_texts_on_mysql_are_compared_byte_by_byte(mariadb: SqlServer) -> None:
    state = migrated(mariadb.create_database())
    with state.engine.connect() as connection:
        query = text(
            "SELECT DISTINCT table_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND collation_name IS NOT NULL AND table_name <> 'alembic_version'"
        )
        found = {tuple(row) for row in connection.execute(query)}
    assert found == {(name, OPTIONS["mysql_collate"]) for name in metadata.tables}
    state.close()


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
        connection.execute(text("DROP INDEX leases_of_holder" + (" ON leases" if _mysql(state) else "")))
    state.migrate()
    test_the_migrations_make_the_tables_as_stated(state)
    with state.begin() as connection:
        assert cursors.load(connection, "feed") == "seven"


def _mysql(state: State) -> bool:
    return state.engine.dialect.name != "sqlite"


def test_two_that_migrate_at_once_both_end_well(database_url: URL) -> None:
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=migrate, args=(database_url,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    made = State(database_url)
    test_the_migrations_make_the_tables_as_stated(made)
    made.close()


def test_a_newer_schema_is_refused_in_words(state: State) -> None:
    with state.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(Rejected, match="has schema 0099, and this release knows schemas up to 0003: start the newer"):
        state.migrate()


def test_a_block_that_raises_writes_nothing(state: State) -> None:
    with pytest.raises(ValueError, match="halfway"), state.begin() as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
        raise ValueError("halfway")
    with state.begin() as connection:
        assert cursors.load(connection, "feed") is None


def test_the_time_is_aware_and_the_database_s(state: State) -> None:
    with state.begin() as connection:
        found = state.now(connection)
    assert found.utcoffset() == timedelta(0) and abs(found - now()) < timedelta(minutes=5)


def test_instants_keep_their_microseconds_and_zone(state: State) -> None:
    at = datetime(2026, 7, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    elsewhere = at.astimezone(datetime.now().astimezone().tzinfo)
    with state.begin() as connection:
        cursors.save(connection, "feed", "x", elsewhere, 1)
        (row,) = connection.execute(metadata.tables["cursors"].select()).all()
    assert row.updated_at == at and row.updated_at.utcoffset() == timedelta(0)
    with pytest.raises(Exception, match="has no zone"), state.begin() as connection:
        cursors.save(connection, "feed", "x", datetime(2026, 7, 1), 1)


def test_a_state_database_that_is_away_is_said_so() -> None:
    state = State(URL.create("mysql+pymysql", "root", "very-secret", "127.0.0.1", free_port(), "none"))
    with pytest.raises(Unavailable, match="cannot be reached") as caught, state.begin():
        pass
    assert "very-secret" not in str(caught.value) and "very-secret" not in repr(state.engine)


def test_a_used_up_pool_is_said_so(tmp_path: Path) -> None:
    state = State(URL.create("sqlite", database=str(tmp_path / "state.db")), connect_seconds=0.1)
    held: list[Any] = [state.engine.connect() for _ in range(20)]
    with pytest.raises(Unavailable, match="no free connection"), state.begin():
        pass
    for one in held:
        one.close()


def test_sqlite_is_safe_against_a_pulled_plug(tmp_path: Path) -> None:
    state = migrated(URL.create("sqlite", database=str(tmp_path / "folder" / "state.db")))
    with state.engine.connect() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]
    with sqlite3.connect(tmp_path / "folder" / "state.db") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_hot_queries_use_an_index(state: State) -> None:
    names = {index["name"] for index in inspect(state.engine).get_indexes("runs")}
    assert {"runs_of_job", "runs_by_outcome"} <= names
    if not _mysql(state):
        query = "EXPLAIN QUERY PLAN SELECT id FROM runs WHERE outcome IS NULL AND job = 'a'"
        with state.engine.connect() as connection:
            assert "runs_by_outcome (outcome=? AND job=?)" in str(connection.execute(text(query)).all())
