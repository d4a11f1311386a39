"""A state database that is lost under a daemon, and one that is restored from a backup, in whole processes."""

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL, select
from sqlalchemy.exc import DatabaseError

from janitor.errors import JanitorError
from janitor.jobs import schedules
from janitor.state import State, identity
from janitor.state.backup import back_up
from janitor.state.tables import notices
from tests.daemons import Daemon, daemons
from tests.servers import free_port
from tests.small_engine import check_slots, eventually, lite_state, now, outcomes, rows_of

EVERY_SECOND = schedules.every(1)


JOBS = """
jobs:
  - {id: quick, function: 'tests.engine_daemon:quick', schedule: every 1s}
  - {id: endless, function: 'tests.engine_daemon:endless', schedule: every 1h}
"""


@contextmanager
def house(folder: Path, **environment: str) -> Iterator[Callable[..., Daemon]]:
    """Daemons on one state file, with a job that is due each second, and one that goes on until it is stopped."""
    (folder / "jobs.yaml").write_text(JOBS, encoding="utf-8")
    settings = {"JOBS_FILE": str(folder / "jobs.yaml"), **environment}
    with daemons("tests.jobs_file.bare", folder, **settings) as start:
        yield partial(start, lite(folder))


def lite(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / "state.db"))


def ready(port: int) -> int:
    """The answer of `/health/ready`."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code


@pytest.mark.slow
@pytest.mark.parametrize("other", [False, True], ids=["moved away", "replaced"])
def test_a_daemon_waits_for_its_state_file(tmp_path: Path, other: bool) -> None:
    # Given a daemon with a job that is due each second. Its state file is moved away, or replaced by another database.
    # It says so and is not ready, and makes no other file. The file comes back.
    # It goes on by itself: each slot has one outcome, and the other file has none of them.
    lite_state(tmp_path / "other.db")
    path, away, port = tmp_path / "state.db", tmp_path / "away.db", free_port()
    state = State(lite(tmp_path))
    with house(tmp_path, WEB_ENABLED="true", WEB_PORT=str(port)) as start:
        daemon = start()
        daemon.says("there was no state database at")
        daemon.says("succeeded after", 2)
        eventually(lambda: ready(port) == 200)
        path.rename(away)
        if other:
            shutil.copy(tmp_path / "other.db", path)
        daemon.says("another file came in the place of" if other else "of the state database is gone")
        eventually(lambda: ready(port) == 503)
        assert path.exists() is other
        if other:
            assert outcomes(State(lite(tmp_path))) == []
        away.replace(path)
        daemon.says("the state database is back")
        daemon.says("succeeded after", daemon.text.count("succeeded after") + 2)
        eventually(lambda: ready(port) == 200)
        assert daemon.end() == 0
    assert None not in outcomes(state)
    assert check_slots(state, "quick", EVERY_SECOND) >= 4
    state.close()


@pytest.mark.slow
def test_a_restored_backup_repeats_no_id_and_misses_nothing_falsely(tmp_path: Path) -> None:
    # Given a daemon with a job that is due each second, and a backup. It goes on, and stops. The backup is restored.
    # The next daemon notices that by itself, and says what is lost.
    # No slot of the lost time is missed, and no id comes twice.
    state = State(lite(tmp_path))
    with house(tmp_path) as start:
        daemon = start()
        daemon.says("succeeded after", 2)
        made = back_up(state, tmp_path / "backup.db")
        daemon.says("succeeded after", 6)
        assert daemon.end() == 0
        stopped_at = now()
        lost = [row for row in rows_of(state, "quick") if row.id > made.newest_run]
        state.close()
        assert len(lost) >= 3
        shutil.copy(tmp_path / "backup.db", tmp_path / "state.db")
        daemon = start()
        daemon.says("the state database was restored from a backup: what was recorded between")
        daemon.says("succeeded after", daemon.text.count("succeeded after") + 2)
        assert daemon.end() == 0
    state = State(lite(tmp_path))
    news = [row for row in rows_of(state, "quick") if row.id > made.newest_run]
    assert min(row.id for row in news) > max(row.id for row in lost) + 1_000
    assert min(row.slot_at for row in news) > max(row.slot_at for row in lost)
    with state.read() as connection:
        found = identity.load(connection)
    assert found is not None and found.generation == 2 and found.lost_until is not None
    assert max(row.ended_at for row in lost) <= found.lost_until <= stopped_at
    state.close()


@pytest.mark.slow
def test_nobody_is_told_falsely_after_a_restore(tmp_path: Path) -> None:
    # Given a daemon that tells of missed slots and interrupted runs, a run that goes on at the backup, and a restore.
    # Must hold: the only thing that is told is the restore itself, and at most what is true of the time in which no
    # daemon ran: slots that came then and, if it was that long, that the job is overdue.
    state = State(lite(tmp_path))
    environment = {"NOTICE_CHECK_SECONDS": "0.2", "NOTICE_RULES": "failed missed interrupted overdue recovered"}
    with house(tmp_path, **environment) as start:
        daemon = start()
        eventually(partial(_runs, state, "endless"))
        daemon.says("succeeded after", 2)
        back_up(state, tmp_path / "backup.db")
        daemon.says("succeeded after", 5)
        began_to_end = now()
        assert daemon.end() == 0
        state.close()
        shutil.copy(tmp_path / "backup.db", tmp_path / "state.db")
        daemon = start()
        daemon.says("notice began: state_restored of janitor")
        daemon.says("succeeded after", daemon.text.count("succeeded after") + 2)
        assert daemon.end() == 0
    state = State(lite(tmp_path))
    with state.read() as connection:
        rules = set(connection.execute(select(notices.c.rule)).scalars())
    successes = [row.ended_at for row in rows_of(state, "quick") if row.outcome == "succeeded"]
    was_away = min(at for at in successes if at > began_to_end) - began_to_end
    may_be_told = {"missed", "overdue"} if was_away > timedelta(seconds=7) else {"missed"}
    assert {"state_made", "state_restored"} <= rules <= {"state_made", "state_restored"} | may_be_told
    assert [row for row in rows_of(state) if row.outcome == "missed" and row.slot_at < began_to_end] == []
    state.close()


def _runs(state: State, job: str) -> bool:
    try:
        return None in outcomes(state, job)
    except (JanitorError, DatabaseError):  # the tables are not made yet
        return False
