"""The watch over the identity: a restore is noticed before anything is made of it, or under a daemon that leads.

Given: a state database, and the memo that its daemon has left.
What happens: a backup is restored, while no daemon leads or under it; or another state database is there.
What must hold: it is told once; nothing is written to what is not the same; the same one goes on by itself.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from janitor.engine.identity_watch import IdentityWatch
from janitor.engine.memos import Memo, Memos
from janitor.engine.runner import Runner
from janitor.errors import Fenced, Unavailable
from janitor.state import cursors, identity, leases, loading
from janitor.state.identity import Identity
from janitor.state.tables import identity as table
from tests.engine.keeping import ELSEWHERE, give_away
from tests.small_engine import now, remember_run

LEASE_SECONDS = 9.0


@dataclass
class Watched:
    """A watch whose clock is set by hand."""

    runner: Runner
    memos: Memos
    path: Path
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def watch(self) -> IdentityWatch:
        """A watch, as a new daemon has it."""
        runner, clock = self.runner, lambda: self.seconds[0]
        return IdentityWatch(runner.state, runner.leadership, runner.holder, self.memos, LEASE_SECONDS, clock)

    def identity(self) -> Identity:
        """The identity as it is in the state database."""
        with self.runner.state.read(even_if_stopped=True) as connection:
            found = identity.load(connection)
        assert found is not None
        return found

    def change(self, **values: object) -> None:
        """Let the state database have another identity, as after a restore."""
        with self.runner.state.begin() as connection:
            connection.execute(update(table).values(**values))


@pytest.fixture
def watched(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A runner that leads, on each kind of state database; the server's tables may be new."""
    monkeypatch.setattr(loading, "SETTLED_SECONDS", 0)
    yield Watched(runner, Memos([tmp_path / "memo"]), tmp_path)
    runner.state.stop("")


def save(runner: Runner) -> None:
    with runner.state.begin() as connection:
        cursors.save(connection, "feed", "x", now(), 1)


def test_a_leader_beats_every_few_seconds_and_leaves_a_memo(watched: Watched) -> None:
    watch = watched.watch()
    assert watch.look_before_leading()
    for second, beats in ((0.0, 1), (2.9, 1), (3.0, 2), (3.1, 2), (30.0, 3)):
        watched.seconds[0] = second
        watch.step()
        assert watched.identity().age == (1, beats)
    found = watched.identity()
    assert watched.memos.newest() == Memo.of(found, 0)
    watch.leave(found.beat_at + timedelta(seconds=2))
    assert watched.memos.newest() == Memo(found.id, 1, 3, found.beat_at + timedelta(seconds=2), 0)


def test_a_leader_that_ends_beats_a_last_time(watched: Watched) -> None:
    # So a backup that was made after the beat before is older than what the daemon leaves.
    watch = watched.watch()
    watch.step()
    remember_run(watched.runner.state, "task", now())
    (fence,) = watched.runner.lead.fences
    watch.beat_last(fence)
    watch.leave(now())
    found, memo = watched.identity(), watched.memos.newest()
    assert memo is not None and (memo.age, found.age) == ((1, 2), (1, 2)) and memo.newest_run > 0
    watch.beat_last(None)
    assert watched.identity() == found


def test_a_restored_backup_is_noticed_before_a_daemon_leads(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.watch().step()
    found = watched.identity()
    watched.memos.write(Memo(found.id, 1, 70, found.beat_at + timedelta(hours=1), 41))
    give_away(watched.runner, "daemon")
    watch = watched.watch()
    # The leader of the backup counts as alive until its lease ends, and is waited for.
    assert not watch.look_before_leading()
    assert watched.identity().restored_at is None
    with watched.runner.state.begin() as connection:
        leases.release_of(connection, ELSEWHERE)
    assert watch.look_before_leading() and watch.look_before_leading()
    noted = watched.identity()
    assert noted.age == (2, 71) and noted.lost_until == found.beat_at + timedelta(hours=1)
    assert caplog.text.count("the state database was restored from a backup") == 1
    assert watched.watch().look_before_leading() and watched.identity() == noted


def test_a_backup_without_an_identity_is_noticed(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    # As after an upgrade: the memo is that of this release, and the backup that of the release before.
    watched.memos.write(Memo("5f3a", 1, 70, now(), 41))
    remember_run(watched.runner.state, "task", now() - timedelta(hours=1), id=7)
    assert watched.watch().look_before_leading()
    assert (watched.identity().id, watched.identity().age) == ("5f3a", (2, 71))
    assert "the state database was restored from a backup" in caplog.text


def test_a_stand_by_keeps_its_memo_up_to_date(watched: Watched) -> None:
    # Given a daemon that stands by while another leads, and a backup of that time.
    # What happens: the backup is restored, and the stand-by is the first to come. What must hold: it notices.
    leader, stand_by = watched.watch(), replace(watched, memos=Memos([watched.path / "elsewhere"]))
    watch = stand_by.watch()
    for second in (0.0, 4.0, 8.0):
        watched.seconds[0] = second
        leader.step()
        assert watch.look_before_leading()
    memo = stand_by.memos.newest()
    assert memo is not None and memo.age == (1, 3)
    watched.change(beat=1)
    assert stand_by.watch().look_before_leading() and watched.identity().age == (2, 4)


def test_a_leader_that_knows_of_no_restore_is_told_of(watched: Watched) -> None:
    # Given a restore, and a daemon on another machine that leads on the backup: it has no memo.
    watched.watch().step()
    watched.memos.write(Memo(watched.identity().id, 1, 70, now(), 41))
    give_away(watched.runner, "daemon")
    watch = watched.watch()
    for second in (0.0, LEASE_SECONDS - 1):
        watched.seconds[0] = second
        assert not watch.look_before_leading()
    watched.seconds[0] = LEASE_SECONDS
    with pytest.raises(
        Unavailable, match=r"was restored, and the daemon that leads \(process 1 on elsewhere\) does not"
    ):
        watch.look_before_leading()
    assert watched.identity().restored_at is None


def test_nothing_is_put_right_while_a_dump_is_loaded(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a server into which a dump is loaded: the identity is that of the backup, other tables come later.
    if watched.runner.state.engine.dialect.name == "sqlite":
        pytest.skip("a file comes as a whole")
    watched.watch().step()
    watched.memos.write(Memo(watched.identity().id, 1, 70, now(), 41))
    watch = watched.watch()
    monkeypatch.setattr(loading, "SETTLED_SECONDS", 10**9)
    with pytest.raises(Unavailable, match="a backup of the state database is being loaded: this daemon waits until"):
        watch.look_before_leading()
    assert watched.identity().age == (1, 1)
    monkeypatch.setattr(loading, "SETTLED_SECONDS", 0)
    assert watch.look_before_leading() and watched.identity().age == (2, 71)


def test_another_state_database_than_before_is_told_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.memos.write(Memo("other", 1, 70, now(), 41))
    watch = watched.watch()
    assert watch.look_before_leading() and watch.look_before_leading()
    assert caplog.text.count("before, this daemon worked on another state database, at ") == 1
    watch.step()
    assert watched.identity().restored_at is None


def test_a_backup_restored_under_a_leader_is_noticed(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    # Given a leader that has beaten twice. A backup from before the second beat is restored under it.
    # It is fenced out, and writes nothing. At its next try to lead it notes the restore, and goes on.
    watch = watched.watch()
    watch.step()
    watched.seconds[0] = 4.0
    watch.step()
    watched.change(beat=1)
    watched.seconds[0] = 8.0
    with pytest.raises(Fenced, match="a backup of the state database was restored under this daemon"):
        watch.step()
    assert watched.identity().age == (1, 1)
    assert watch.look_before_leading()
    assert watched.identity().age == (2, 3) and "the state database was restored from a backup" in caplog.text


def test_another_database_under_a_leader_is_not_written(watched: Watched) -> None:
    watch = watched.watch()
    watch.step()
    before = watched.identity()
    watched.change(id="other")
    watched.seconds[0] = 4.0
    for _ in range(2):
        with pytest.raises(Unavailable, match="another state database came in the place of the one at .* nothing is"):
            watch.step()
    with pytest.raises(Unavailable, match="nothing is written until it is back"):
        save(watched.runner)
    watched.runner.state.stop("")
    watched.change(id=before.id)
    watched.runner.state.stop("it was stopped")
    watch.step()
    save(watched.runner)
    assert watched.identity().age == (1, 2)


def test_who_lost_the_lead_does_not_lead_on_another_database(watched: Watched) -> None:
    watch = watched.watch()
    watch.step()
    watched.change(id="other")
    with pytest.raises(Unavailable, match="another state database came in the place of"):
        watch.look_before_leading()
    assert watched.watch().look_before_leading(), "a daemon that is started anew goes on with it"


def test_an_emptied_database_is_not_written(watched: Watched) -> None:
    watch = watched.watch()
    watch.step()
    with watched.runner.state.begin() as connection:
        connection.execute(delete(table))
    watched.seconds[0] = 4.0
    with pytest.raises(Unavailable, match="another state database came in the place of"):
        watch.step()


def test_a_beat_whose_answer_was_lost_is_an_own_one(watched: Watched) -> None:
    watch = watched.watch()
    watch.step()
    watched.change(beat=2)
    watched.seconds[0] = 4.0
    watch.step()
    assert watched.identity().age == (1, 3)


def test_who_lost_the_lead_beats_no_more(watched: Watched) -> None:
    watch = watched.watch()
    watch.step()
    give_away(watched.runner, "daemon")
    watched.seconds[0] = 4.0
    with pytest.raises(Fenced):
        watch.step()
    assert watched.identity().age == (1, 1)


def test_a_file_that_is_overwritten_under_a_leader_is_not_written_any_more(lite: Runner, tmp_path: Path) -> None:
    # Given a leader on a SQLite file, and a copy of it. Somebody copies the older file over the file that is open.
    # The leader says so, and writes nothing any more, also if it looks again.
    watched = Watched(lite, Memos([tmp_path / "memo"]), tmp_path)
    watch, path = watched.watch(), Path(str(lite.state.url.database))
    watch.step()
    checkpoint(path)
    shutil.copy(path, tmp_path / "copy.db")
    for second in (4.0, 8.0):
        watched.seconds[0] = second
        watch.step()
        checkpoint(path)
    shutil.copy(tmp_path / "copy.db", path)
    for _ in range(2):
        with pytest.raises(Unavailable, match="was overwritten while this daemon had it open, as `cp` does; nothing"):
            watch.step()
    with pytest.raises(Unavailable, match="nothing is written any more"):
        save(lite)


def checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
