"""The same file: a state database whose file is deleted, moved or replaced takes nothing until that file is back.

Given: a state database on SQLite that is open, with a cursor in it.
What happens: its file is deleted, moved away or replaced, and perhaps comes back.
What must hold: meanwhile nothing is read and written, and the error tells why; then all goes on, and is whole.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import Unavailable
from janitor.state import State, cursors
from janitor.state.backup import back_up
from tests.small_engine import migrated, now

GONE = "the file .*state.db of the state database is gone: it was deleted or moved, or its volume is not mounted"
REPLACED = "another file came in the place of the state database .*state.db; nothing is written until"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    made = migrated(URL.create("sqlite", database=str(path)))
    save(made, "first")
    yield made
    made.close()


def save(state: State, position: str) -> None:
    with state.begin() as connection:
        cursors.save(connection, "feed", position, now(), 1)


def position(path: Path) -> str:
    """The cursor in a file, as another program reads it."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return str(connection.execute("SELECT position FROM cursors").fetchone()[0])


def refuses(state: State, why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        save(state, "lost")
    with pytest.raises(Unavailable, match=why), state.read():
        pass


def test_a_deleted_file_takes_nothing_and_no_other_is_made(state: State, path: Path) -> None:
    path.unlink()
    refuses(state, GONE)
    assert not path.exists()


def test_a_file_that_comes_back_is_used_again(state: State, path: Path) -> None:
    away = path.with_name("away.db")
    path.rename(away)
    refuses(state, GONE)
    away.rename(path)
    save(state, "second")
    state.close()
    assert position(path) == "second"


def test_a_file_in_its_place_is_neither_written_nor_spoiled(state: State, path: Path) -> None:
    other = path.with_name("other.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(other)) as target:
        source.backup(target)
    for number in range(50):
        save(state, f"later {number}")
    assert Path(f"{path}-wal").stat().st_size > 0
    other.replace(path)
    refuses(state, REPLACED)
    state.close()
    assert position(path) == "first"


def test_a_journal_that_is_deleted_is_told_and_saved(state: State, path: Path) -> None:
    save(state, "second")
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    refuses(state, "the journal of the state database, .*-wal, was deleted while this process had it open; nothing is")
    assert not Path(f"{path}-wal").exists()
    state.close()
    assert position(path) == "second"


@pytest.mark.parametrize("there", ["a backup", "an empty file", "nothing"])
def test_a_journal_of_a_killed_daemon_spoils_no_other_file(state: State, path: Path, there: str) -> None:
    # Given a daemon that was killed: its journal lies beside its file. The file is replaced, or is gone and made anew.
    # Nothing of the journal may come into the new file, and the journal is kept.
    back_up(state, path.with_name("backup.db"))
    save(state, "later")
    journal = Path(f"{path}-wal").read_bytes()
    state.close()
    path.unlink()
    if there != "nothing":
        shutil.copy(path.with_name("backup.db"), path) if there == "a backup" else path.touch()
    Path(f"{path}-wal").write_bytes(journal)
    again = State(state.url)
    assert (again.version() is None) is (there != "a backup")
    again.migrate()
    with again.read() as connection:
        assert cursors.load(connection, "feed") == ("first" if there == "a backup" else None)
    again.close()
    assert Path(f"{path}-wal.replaced").read_bytes() == journal


def test_the_journal_of_the_file_itself_is_used(state: State, path: Path) -> None:
    back_up(state, path.with_name("backup.db"))
    state.close()
    shutil.copy(path.with_name("backup.db"), path)
    killed = State(state.url)
    save(killed, "later")
    assert cursor_of(State(state.url)) == "later" and not Path(f"{path}-wal.replaced").exists()
    killed.close()


def cursor_of(state: State) -> str | None:
    """The cursor, as a process reads it that has just begun."""
    with state.read() as connection:
        found = cursors.load(connection, "feed")
    state.close()
    return found


def test_the_right_file_is_used_again_after_another_was_there(state: State, path: Path) -> None:
    away = path.with_name("away.db")
    path.rename(away)
    shutil.copy(away, path)
    refuses(state, REPLACED)
    os.replace(away, path)
    save(state, "second")
    state.close()
    assert position(path) == "second"


def test_what_is_under_way_is_not_committed_to_a_deleted_file(state: State, path: Path) -> None:
    with pytest.raises(Unavailable, match=GONE), state.begin() as connection:
        cursors.save(connection, "feed", "second", now(), 1)
        path.rename(path.with_name("away.db"))
    path.with_name("away.db").rename(path)
    with state.read() as connection:
        assert cursors.load(connection, "feed") == "first"


def test_a_link_that_leads_elsewhere_counts_as_another_file(tmp_path: Path) -> None:
    link = tmp_path / "state.db"
    for name in ("one.db", "two.db"):
        migrated(URL.create("sqlite", database=str(tmp_path / name))).close()
    link.symlink_to("one.db")
    state = State(URL.create("sqlite", database=str(link)))
    save(state, "first")
    link.unlink()
    link.symlink_to("two.db")
    refuses(state, REPLACED)
    state.close()


def test_a_child_opens_no_other_file_than_its_parent(state: State, path: Path) -> None:
    with state.read():
        assert state.file is not None
    child = State(state.url, file=state.file)
    with child.read() as connection:
        assert cursors.load(connection, "feed") == "first"
    child.close()
    shutil.copy(path, path.with_name("copy.db"))
    late = State(state.url, file=state.file)
    path.with_name("copy.db").replace(path)
    refuses(late, REPLACED)
