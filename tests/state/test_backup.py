"""Backups: a copy of one moment, whole or not there, made while others write.

Given: a state database with runs, log lines, cursors and a ledger, on each kind of database.
What happens: it is copied, while somebody writes, or until something goes wrong.
What must hold: the copy has every row of that moment; whatever goes wrong, the copy that was there stays.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, func, select

from janitor.errors import Cancelled, Rejected
from janitor.runs import Fence
from janitor.state import State, backup, cursors, identity, leases, ledger, log_lines, quarantine
from janitor.state.backup import back_up, copy_rows
from janitor.state.log_lines import LogLine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import SCHEMA_VERSION, metadata
from tests.explained import noted
from tests.small_engine import migrated, now, remember, remember_run, rows_of
from tests.state.migrations.older import older

RUNS = 7


@pytest.fixture
def filled(state: State) -> State:
    """A state database with something in many tables."""
    at = now()
    for number in range(RUNS):
        remember_run(state, f"job {number}", at, id=number + 1, reason="é\U0001f9ea" * 9)
    remember(state, "job 1", at)
    with state.begin() as connection:
        identity.ensure(connection, at, made_at=at)
        log_lines.add(connection, [LogLine(1, at, "INFO", "tests", f"line {number}") for number in range(9)])
        cursors.save(connection, "feed", "first", at, 1)
        ledger.enter(connection, "some", {bytes([n]) * 32: bytes([n]) * 16 for n in range(5)}, at)
        ledger.enter(connection, "other", {bytes([n]): bytes([n]) * 16 for n in range(5)}, at)
        assert leases.acquire(connection, "daemon", "gone", at, 30) == Fence("daemon", 1)
    return state


def rows(state: State) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with state.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def opened(path: Path) -> State:
    return State(URL.create("sqlite", database=str(path)))


@pytest.mark.parametrize("at_once", [2, 2_000])
def test_a_backup_has_every_row(filled: State, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "ROWS", at_once)
    path = tmp_path / "there" / "backup.db"
    made = back_up(filled, path)
    assert (made.path, made.runs, made.newest_run, made.bytes) == (path, RUNS, RUNS, path.stat().st_size)
    assert str(made).endswith(f"bytes, {RUNS} runs, the newest is {RUNS}")
    assert [one.name for one in path.parent.iterdir()] == ["backup.db"]
    copy = opened(path)
    assert copy.version() == filled.version() and rows(copy) == rows(filled)
    copy.close()


def test_the_backup_of_an_older_state_database_is_as_old(database_url: URL, tmp_path: Path) -> None:
    # Given the state database of an earlier release, whose migration was cut off after a table of this release.
    # What must hold: the backup has its schema and its rows, so that the earlier release can go back to it.
    state = older(database_url, "0004")
    with state.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE memories (job VARCHAR(191), name VARCHAR(191))")
        connection.exec_driver_sql("INSERT INTO memories VALUES ('follow', 'task')")
    made = back_up(state, tmp_path / "backup.db")
    copy = opened(tmp_path / "backup.db")
    assert copy.version() == "0004" and made.runs == 1
    for each in (copy, state):
        each.migrate()
        assert each.version() == SCHEMA_VERSION
    assert rows(copy) == rows(state) and len(rows(copy)["run_logs"]) == 1
    for each in (copy, state):
        each.close()


def test_a_backup_is_that_of_one_moment(filled: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a copy in small steps. At each step somebody adds a run and moves a cursor.
    monkeypatch.setattr(backup, "ROWS", 2)
    monkeypatch.setattr(backup, "PAGES", 5)
    other, steps = State(filled.url), list[int]()

    def write() -> None:
        remember_run(other, "late", now().replace(microsecond=len(steps)))
        with other.begin() as connection:
            cursors.save(connection, "feed", f"later {len(steps)}", now(), 1)
        steps.append(1)

    before = rows(filled)
    back_up(filled, tmp_path / "backup.db", write)
    copy = opened(tmp_path / "backup.db")
    assert len(steps) > 3 and rows(copy) == before
    assert len(rows_of(filled)) == RUNS + len(steps)
    copy.close()
    other.close()


def test_a_copy_that_is_ended_leaves_the_one_before(filled: State, tmp_path: Path) -> None:
    path = tmp_path / "backups" / "backup.db"
    back_up(filled, path)
    before = path.read_bytes()

    def end() -> None:
        raise Cancelled("stopped by anna")

    with pytest.raises(Cancelled):
        back_up(filled, path, end)
    assert path.read_bytes() == before and [one.name for one in path.parent.iterdir()] == ["backup.db"]
    back_up(filled, path)


def test_journals_beside_the_backup_before_spoil_no_new_one(filled: State, tmp_path: Path) -> None:
    # As a daemon leaves them that was started on a backup, and killed.
    journals = [tmp_path / f"backup.db{suffix}" for suffix in ("-wal", "-shm", "-journal")]
    for journal in journals:
        journal.write_text("of another file")
    back_up(filled, tmp_path / "backup.db")
    assert not any(journal.exists() for journal in journals)


def test_a_path_that_cannot_be_written_is_told(filled: State, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Rejected, match="the backup .*backup.db cannot be made: .*; check the path, and the room on"):
        back_up(filled, tmp_path / "file" / "backup.db")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Rejected, match="the backup .*folder cannot be made"):
        back_up(filled, tmp_path / "folder")
    assert not list(tmp_path.glob(".*.tmp"))


def test_the_state_database_is_not_its_own_backup(tmp_path: Path) -> None:
    state = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    (tmp_path / "link.db").symlink_to("state.db")
    for name in ("state.db", "link.db"):
        with pytest.raises(Rejected, match="is the state database itself"):
            back_up(state, tmp_path / name)
    state.close()


def test_a_copy_that_is_not_whole_is_not_kept(tmp_path: Path) -> None:
    # Given a state database with a damaged page, as a broken disk leaves it.
    path = tmp_path / "state.db"
    state = migrated(URL.create("sqlite", database=str(path)))
    for number in range(200):
        remember_run(state, f"job {number}", now(), reason="x" * 400)
    state.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_outcome'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek(page * 4096 - 2_000)
        file.write(b"\xff" * 2_000)
    broken = State(state.url)
    with pytest.raises(Rejected, match="the backup .*backup.db is not whole, and is not kept|cannot be made"):
        back_up(broken, tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
    broken.close()


@pytest.mark.parametrize("at_once", [2, 2_000])
def test_rows_go_back_into_an_empty_database(
    filled: State, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "ROWS", at_once)
    back_up(filled, tmp_path / "backup.db")
    before = rows(filled)
    with filled.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    with opened(tmp_path / "backup.db").read() as source, filled.begin() as target:
        copy_rows(source, target)
    assert rows(filled) == before
    with filled.read() as connection:
        assert connection.execute(select(func.count()).select_from(metadata.tables["runs"])).scalar() == RUNS


def test_each_page_of_a_backup_begins_where_the_last_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a backup, whose tables have keys of several columns. What must hold: no page reads the rows of those before.
    monkeypatch.setattr(backup, "ROWS", 2)
    url, at = URL.create("sqlite", database=str(tmp_path / "state.db")), now()
    state, target = migrated(url), migrated(url.set(database=str(tmp_path / "target.db")))
    with state.begin() as connection:
        kept = [Quarantined(str(key), "why") for key in range(7)]
        quarantine.put(connection, "task", kept, at, 1)
        ledger.enter(connection, "some", {bytes([n]) * 32: bytes([n]) * 16 for n in range(5)}, at)
    with noted() as sends, state.read() as source, target.begin() as connection:
        copy_rows(source, connection)
    later = [sent for sent in sends if sent.statement.startswith("SELECT") and ") > (" in sent.statement]
    assert len(later) >= 5
    for sent in later:
        with state.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent.statement}", sent.parameters).all()
        assert any(")>(" in row.detail for row in plan), plan
    state.close()
    target.close()
