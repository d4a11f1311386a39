"""The main file: another content is noticed, what SQLite itself does to it is not."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.state import State, identity
from janitor.state.backup import back_up
from janitor.state.identity import Identity
from janitor.state.main_file import STILL_LOOKS, MainFile
from tests.small_engine import lite_state, migrated, now, remember_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    made = migrated(URL.create("sqlite", database=str(path)))
    yield made
    made.close()


def beaten(state: State) -> Identity:
    """The identity after one more beat, which is in the main file too."""
    with state.begin() as connection:
        found = identity.beat(connection, identity.ensure(connection, now()), now())
    with closing(sqlite3.connect(str(state.url.database))) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert found is not None
    return found


def test_checkpoints_and_a_vacuum_are_no_change(state: State, path: Path) -> None:
    file = MainFile(path)
    for number in range(5):
        found = beaten(state)
        assert not file.is_overwritten(found)
        remember_run(state, f"job {number}", now(), reason="x" * 9_000)
        assert not file.is_overwritten(found)
    with closing(sqlite3.connect(path)) as other:
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not file.is_overwritten(found)


def test_an_older_copy_over_it_is_noticed(state: State, path: Path, tmp_path: Path) -> None:
    file = MainFile(path)
    assert not file.is_overwritten(beaten(state))
    back_up(state, tmp_path / "backup.db")
    found = beaten(state)
    assert not file.is_overwritten(found)
    shutil.copy(tmp_path / "backup.db", path)
    assert file.is_overwritten(found)


def test_another_database_over_it_is_noticed(state: State, path: Path, tmp_path: Path) -> None:
    file, found = MainFile(path), beaten(state)
    assert not file.is_overwritten(found)
    lite_state(tmp_path / "other.db")
    other = State(URL.create("sqlite", database=str(tmp_path / "other.db")))
    beaten(other)
    other.close()
    shutil.copy(tmp_path / "other.db", path)
    assert file.is_overwritten(found)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 999])
def test_what_is_no_database_is_noticed_after_some_looks(state: State, path: Path, content: bytes) -> None:
    file, found = MainFile(path), beaten(state)
    assert not file.is_overwritten(found)
    path.write_bytes(content)
    assert [file.is_overwritten(found) for _ in range(STILL_LOOKS)] == [False] * (STILL_LOOKS - 1) + [True]


def test_a_checkpoint_that_takes_long_is_no_change(state: State, path: Path) -> None:
    # Given: a checkpoint that has written the first page, which tells of pages that the file does not have yet.
    # Happens: more pages come, slowly. Then the checkpoint is over.
    # Must hold: the file is unreadable all the time, and does not count as overwritten.
    file, found = MainFile(path), beaten(state)
    assert not file.is_overwritten(found)
    before = path.read_bytes()
    for number in range(30):
        remember_run(state, f"job {number}", now(), reason="x" * 9_000)
    after_all = beaten(state)
    after = path.read_bytes()
    assert len(after) > len(before) + 100_000
    for number in range(2 * STILL_LOOKS):
        size = len(before) + 1_024 * number
        path.write_bytes(after[:4_096] + before[4_096:] + after[len(before) : size])
        os.utime(path, ns=(number, number))
        with (
            pytest.raises(sqlite3.DatabaseError),
            closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as one,
        ):
            one.execute("SELECT id FROM identity").fetchone()
        assert not file.is_overwritten(found)
    path.write_bytes(after)
    assert not file.is_overwritten(after_all)


def test_a_file_that_is_not_written_yet_or_is_gone_tells_nothing(state: State, path: Path) -> None:
    with state.begin() as connection:
        found = identity.ensure(connection, now())
    file = MainFile(path)
    assert [file.is_overwritten(found) for _ in range(4)] == [False] * 4
    beaten(state)
    path.rename(path.with_name("away.db"))
    assert not file.is_overwritten(found)
