"""Restoring a backup: by the verb's own means, or by a person's, who tells of it.

Given: a state database, a backup of it, and the memo of its last daemon.
What happens: the backup is restored over nothing, and the restore is told.
What must hold: every row is back and ids go on above; while a daemon leads, or nothing was restored, nothing changes.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.memos import Memo, Memos
from janitor.errors import JanitorError, Rejected
from janitor.operations import restoring
from janitor.state import State, actions, identity, leases, run_records
from janitor.state.backup import back_up
from janitor.state.identity import Identity
from janitor.state.tables import SCHEMA_VERSION, metadata
from tests.engine.keeping import ELSEWHERE
from tests.small_engine import DATABASES, empty_state, lite_state, now, remember_run, rows_of
from tests.state.migrations.older import older

HOUR = timedelta(hours=1)
BACKUP = now().replace(microsecond=0) - HOUR


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = State(empty_state(request, tmp_path))
    remember_run(made, "task", BACKUP, id=1)
    yield made
    made.close()


@pytest.fixture
def memos(tmp_path: Path) -> Memos:
    return Memos([tmp_path / "memo"])


@pytest.fixture
def found(state: State) -> Identity:
    with state.begin() as connection:
        return identity.ensure(connection, BACKUP)


def begun(state: State) -> int:
    with state.begin() as connection:
        return run_records.start(connection, "task", run_records.BY_HAND, None, now(), False, "me")


def gone(state: State) -> None:
    """Lose everything, as after a broken disk: the file is gone, or the tables are empty."""
    if state.engine.dialect.name == "sqlite":
        state.close()
        Path(str(state.url.database)).unlink()
        return
    with state.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def test_a_backup_is_restored_whole(state: State, found: Identity, memos: Memos, tmp_path: Path) -> None:
    back_up(state, tmp_path / "backup.db")
    before = [tuple(row) for row in rows_of(state)]
    memos.write(Memo(found.id, 1, 70, BACKUP + HOUR / 2, 41))
    gone(state)
    fresh = State(state.url)
    noted = restoring.restore(fresh, tmp_path / "backup.db", memos, "anna")
    assert (noted.id, noted.age, noted.lost_until) == (found.id, (2, 71), BACKUP + HOUR / 2)
    assert [tuple(row) for row in rows_of(fresh)] == before
    assert begun(fresh) >= 20_001
    assert [path.name for path in tmp_path.glob(".restore*")] == [], "nothing is left of the copy"
    fresh.close()
    copy = State(URL.create("sqlite", database=str(tmp_path / "backup.db")))
    with copy.read() as connection:
        assert identity.load(connection) == found
    copy.close()


def test_a_lease_of_the_backup_holds_nobody_up(state: State, found: Identity, memos: Memos, tmp_path: Path) -> None:
    # Given a backup that was made a moment ago, under a daemon on another machine: its lease has not ended.
    with state.begin() as connection:
        leases.acquire(connection, "daemon", ELSEWHERE, state.now(connection), 60)
    back_up(state, tmp_path / "backup.db")
    gone(state)
    fresh = State(state.url)
    restoring.restore(fresh, tmp_path / "backup.db", memos, "anna")
    with fresh.begin() as connection:
        assert leases.acquire(connection, "daemon", "me", fresh.now(connection), 60) is not None
    fresh.close()


def test_a_backup_that_holds_all_is_restored_too(state: State, found: Identity, memos: Memos, tmp_path: Path) -> None:
    # As it is moved to another place, or restored after its daemon has stopped.
    back_up(state, tmp_path / "backup.db")
    memos.write(Memo(found.id, *found.age, found.beat_at, 1))
    gone(state)
    fresh = State(state.url)
    noted = restoring.restore(fresh, tmp_path / "backup.db", memos, "anna")
    assert noted.generation == 2 and noted.lost_since == noted.lost_until
    assert begun(fresh) > 10_000
    fresh.close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, memos: Memos) -> None:
    State(lite_state(tmp_path / "backup.db")).close()
    (tmp_path / "file").touch()
    with pytest.raises(Rejected, match="the state database at .* cannot be made: .*; check the path, and the room on"):
        restoring.restore(State(lite(tmp_path / "file" / "state.db")), tmp_path / "backup.db", memos, "anna")


def test_a_journal_that_was_left_does_not_spoil_the_backup(tmp_path: Path, memos: Memos) -> None:
    state = State(lite_state(tmp_path / "state.db"))
    remember_run(state, "task", BACKUP)
    back_up(state, tmp_path / "backup.db")
    remember_run(state, "task", BACKUP + HOUR / 2)
    (tmp_path / "state.db").unlink()
    assert (tmp_path / "state.db-wal").stat().st_size > 0
    fresh = State(state.url)
    restoring.restore(fresh, tmp_path / "backup.db", memos, "anna")
    assert [row.slot_at for row in rows_of(fresh)] == [BACKUP]
    fresh.close()
    state.close()


def test_nothing_is_restored_over_a_state_database(state: State, found: Identity, memos: Memos, tmp_path: Path) -> None:
    back_up(state, tmp_path / "backup.db")
    with pytest.raises(Rejected, match="there is a state database at .*: stop its daemon, and move the file away or"):
        restoring.restore(state, tmp_path / "backup.db", memos, "anna")
    with state.read() as connection:
        assert identity.load(connection) == found


def test_what_is_no_backup_is_not_restored(state: State, memos: Memos, tmp_path: Path) -> None:
    gone(state)
    (tmp_path / "empty.db").touch()
    with pytest.raises(Rejected, match="empty.db holds no state database, so it is no backup"):
        restoring.restore(State(state.url), tmp_path / "empty.db", memos, "anna")
    assert not (tmp_path / "state.db").exists()


def test_a_person_tells_of_a_restore(state: State, found: Identity, memos: Memos) -> None:
    began = now()
    noted = restoring.tell(state, memos, "anna")
    assert noted.generation == 2 and noted.beat > 3_600 and noted.lost_since == BACKUP and noted.lost_until is not None
    assert began - timedelta(seconds=5) < noted.lost_until < now() + timedelta(seconds=5)
    with state.read() as connection:
        assert [action.actor for action in actions.listing(connection)] == ["anna"]
    memo = memos.newest()
    assert (
        memo is not None and (memo.id, memo.age) == (found.id, noted.age) and 13_600 <= memo.newest_run < begun(state)
    )
    with pytest.raises(JanitorError, match="as the last daemon left it: no backup was restored since; if its memo was"):
        restoring.tell(state, memos, "anna")


def test_a_snapshot_brings_the_memo_back_too(state: State, found: Identity, memos: Memos) -> None:
    # As if a whole volume was restored: the memo says what the state database says. Then a person is believed.
    memos.write(Memo(found.id, *found.age, found.beat_at, 1))
    noted = restoring.tell(state, memos, "anna", snapshot=True)
    assert noted.generation == 2 and noted.lost_until is not None and noted.lost_until > BACKUP
    memo = memos.newest()
    assert memo is not None and memo.age == noted.age and begun(state) > 13_600


def test_a_backup_of_an_earlier_release_counts_up_to_its_newest_run(state: State, memos: Memos) -> None:
    noted = restoring.tell(state, memos, "anna")
    assert noted.lost_since == BACKUP


def test_a_restore_is_not_told_under_a_daemon(state: State, found: Identity, memos: Memos) -> None:
    with state.begin() as connection:
        leases.acquire(connection, "daemon", ELSEWHERE, state.now(connection), 60)
    with pytest.raises(JanitorError, match=r"a daemon leads on this state database \(process 1 on elsewhere\): stop"):
        restoring.tell(state, memos, "anna")
    with state.read() as connection:
        assert identity.load(connection) == found


def test_an_older_backup_is_brought_up_to_date(state: State, memos: Memos, tmp_path: Path) -> None:
    gone(state)
    old = older(URL.create("sqlite", database=str(tmp_path / "backup.db")), "0004")
    fresh = State(state.url)
    restoring.restore(fresh, tmp_path / "backup.db", memos, "anna")
    assert fresh.version() == SCHEMA_VERSION and [row.job for row in rows_of(fresh)] == ["follow"]
    assert old.version() == "0004"
    for each in (fresh, old):
        each.close()


def test_neither_an_older_nor_a_newer_schema_is_overwritten(memos: Memos, tmp_path: Path) -> None:
    # Given a state database of the release before, a backup of a newer release, and a path without a state database.
    older(lite(tmp_path / "old.db"), "0005").close()
    for name, version in (("backup.db", SCHEMA_VERSION), ("newer.db", "9999")):
        lite_state(tmp_path / name)
        made = State(lite(tmp_path / name))
        with made.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
        made.close()
    for target, backup, said in (
        ("old.db", "backup.db", "there is a state database at"),
        ("none.db", "newer.db", "has schema 9999, and this release knows"),
    ):
        state = State(lite(tmp_path / target))
        with pytest.raises(Rejected, match=said):
            restoring.restore(state, tmp_path / backup, memos, "anna")
        state.close()
    assert State(lite(tmp_path / "old.db")).version() == "0005" and not (tmp_path / "none.db").exists()


def lite(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))
