"""The state database: opened, migrated, and safe if it is away, full or cut off."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text

from janitor.errors import Rejected, Unavailable
from janitor.state import State, cursors, database, leases
from janitor.state.tables import SCHEMA_VERSION
from tests.servers import free_port
from tests.small_engine import lite_state, migrated, now


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    made = migrated(database_url)
    yield made
    made.close()


def test_a_state_database_is_made_once_and_only_if_it_is_asked_for(tmp_path: Path) -> None:
    state = State(URL.create("sqlite", database=str(tmp_path / "folder" / "state.db")))
    with pytest.raises(Rejected, match="there is no state database at .*: check STATE_DATABASE_URL, or let `start` ma"):
        state.require()
    assert state.version() is None and list(tmp_path.iterdir()) == []
    assert [state.migrate(), state.migrate()] == [True, False]
    state.require()
    state.close()


def test_a_database_that_was_stopped_takes_nothing(state: State) -> None:
    state.stop("it is another one")
    with pytest.raises(Unavailable, match="it is another one"), state.begin():
        pass
    with pytest.raises(Unavailable, match="it is another one"), state.read():
        pass
    with state.read(even_if_stopped=True) as connection:
        assert cursors.load(connection, "feed") is None
    state.stop("")
    with state.begin() as connection:
        cursors.save(connection, "feed", "seven", now(), 1)


def test_a_newer_schema_is_refused_in_words(state: State) -> None:
    with state.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(Rejected, match=f"has schema 0099, .* schemas up to {SCHEMA_VERSION}: start the newer"):
        state.migrate()
    for or_older in (True, False):
        with pytest.raises(Rejected, match="has schema 0099"):
            state.require(or_older)
    assert state.pending() == []


def test_an_older_schema_is_told_and_left_alone(state: State) -> None:
    with state.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    with pytest.raises(Rejected, match="has schema 0004, .* needs schema .*: `migrate` and `start` bring it there"):
        state.require()
    state.require(or_older=True)
    assert state.version() == "0004" and {one.version for one in state.pending()} == {"0005", "0006", "0007"}


def test_a_block_that_raises_writes_nothing(state: State) -> None:
    with pytest.raises(ValueError, match="halfway"), state.begin() as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
        raise ValueError("halfway")
    with state.begin() as connection:
        assert cursors.load(connection, "feed") is None


def test_the_time_is_aware_and_the_database_s(state: State) -> None:
    with state.begin() as connection:
        found = state.now(connection)
        later = [state.now(connection) for _ in range(5)]
    assert found.utcoffset() == timedelta(0) and abs(found - now()) < timedelta(minutes=5)
    assert any(one.microsecond for one in later), "it is cut to whole seconds"


def test_a_state_database_that_is_away_is_said_so() -> None:
    state = State(URL.create("mysql+pymysql", "root", "very-secret", "127.0.0.1", free_port(), "none"))
    with pytest.raises(Unavailable, match="cannot be reached") as caught, state.begin():
        pass
    assert "very-secret" not in str(caught.value) and "very-secret" not in repr(state.engine)


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_transaction_that_stands_still_holds_nobody_up(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a daemon that is frozen inside the transaction in which it took the lead.
    # What happens: another daemon wants to lead. What must hold: the server ends the first transaction, the other
    # daemon leads, and the first learns it when it goes on.
    monkeypatch.setattr(database, "IDLE_SECONDS", 1)
    monkeypatch.setattr(database, "MYSQL_IDLE_SECONDS", 1)
    frozen, other = migrated(database_url), State(database_url)
    with pytest.raises(Unavailable), frozen.begin() as connection:
        assert leases.acquire(connection, leases.DAEMON, "frozen", now(), 60)
        with other.begin() as beside:
            assert leases.acquire(beside, leases.DAEMON, "other", now(), 60)
        frozen.now(connection)
    with other.read() as connection:
        assert leases.holder_of(connection, leases.DAEMON) == "other"
    for each in (frozen, other):
        each.close()


def test_a_used_up_pool_is_said_so(tmp_path: Path) -> None:
    state = State(lite_state(tmp_path / "state.db"), connect_seconds=0.1)
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
