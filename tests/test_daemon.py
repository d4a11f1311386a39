"""Whole daemons, killed, stopped and frozen: no run stays running, and every slot is accounted for."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import OperationalError

from janitor.jobs import schedules
from janitor.state import State, cursors, leases
from janitor.state.tables import SCHEMA_VERSION
from tests.daemons import Daemon, daemons
from tests.engine.children import alive
from tests.engine.keeping import ELSEWHERE
from tests.small_engine import check_slots, eventually, lines_of, migrated, outcomes, rows_of
from tests.state.migrations.older import older

EVERY_SECOND = schedules.every(1)


def lite(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / "state.db"))


@contextmanager
def processes(url: URL, folder: Path, **environment: str) -> Iterator[Callable[..., Daemon]]:
    """Start daemons with jobs of tests/engine_daemon.py on one state database; all are gone after the block."""
    settings = {"GRACE_SECONDS": "5", "TOUCHED": str(folder)} | environment
    with daemons("tests.engine_daemon", folder, **settings) as start:
        yield partial(start, url)


def position(state: State) -> str | None:
    with state.begin() as connection:
        return cursors.load(connection, "writer")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_killed_at_any_moment_it_loses_no_slot(database_url: URL, tmp_path: Path, seed: int) -> None:
    # Given a daemon with a quick and a slow job, each due every second. It is killed three times, at chance moments.
    # A successor leads at once each time, since it can tell that the process is dead.
    # No run stays open, and each slot of both jobs has exactly one outcome.
    moments, state = random.Random(seed), migrated(database_url)
    with processes(database_url, tmp_path, JOBS="quick slow") as start:
        for life in range(3):
            daemon = start("daemon")
            daemon.says("leading with", life + 1)
            time.sleep(moments.uniform(0, 1.5))
            daemon.end(signal.SIGKILL)
        daemon = start("daemon")
        daemon.says("leading with", 4)
        before = len(rows_of(state, "quick"))
        eventually(lambda: len(rows_of(state, "quick")) > before + 1)
        assert daemon.end() == 0
    assert None not in outcomes(state)
    assert check_slots(state, "quick", EVERY_SECOND) >= 5
    assert check_slots(state, "slow", EVERY_SECOND) >= 5
    reasons = {row.reason for row in rows_of(state) if row.outcome == "interrupted"}
    assert reasons <= {"the process that ran it is gone", "the daemon was asked to stop"}
    state.close()


@pytest.mark.slow
def test_lines_logged_just_before_a_crash_are_there(tmp_path: Path) -> None:
    state = migrated(lite(tmp_path))
    with processes(lite(tmp_path), tmp_path, JOBS="deaf") as start:
        daemon = start()
        daemon.says("deaf 1] deaf")
        eventually(lambda: lines_of(state, 1) == ["deaf"])
        daemon.end(signal.SIGKILL)
    assert lines_of(state, 1) == ["deaf"] and outcomes(state) == [None]


@pytest.mark.slow
def test_a_dead_daemon_is_followed_by_its_stand_by(database_url: URL, tmp_path: Path) -> None:
    # Given a daemon that leads, and a second that stands by, with leases of a minute. The first is killed.
    # The second leads without waiting for the lease to end, and runs the slots.
    # The run that was cut is recorded as interrupted, and no slot is without an outcome.
    state = migrated(database_url)
    with processes(database_url, tmp_path, JOBS="endless quick") as start:
        first = start("first")
        first.says("leading")
        second = start("second", LEASE_SECONDS="60")
        second.says("standing by")
        eventually(lambda: "succeeded" in outcomes(state, "quick"))
        first.end(signal.SIGKILL)
        second.says("leading")
        before = len(rows_of(state, "quick"))
        eventually(lambda: len(rows_of(state, "quick")) > before)
        assert second.end() == 0
    assert None not in outcomes(state)
    assert outcomes(state, "endless")[0] == "interrupted"
    check_slots(state, "quick", EVERY_SECOND)
    state.close()


def freeze(daemon: Daemon, url: URL) -> None:
    """Freeze a daemon between two transactions: inside a transaction it would keep its locks for good."""
    locked = "BEGIN IMMEDIATE" if url.get_backend_name() == "sqlite" else "SELECT * FROM leases FOR UPDATE NOWAIT"
    engine = create_engine(url, connect_args={"timeout": 0.2} if url.get_backend_name() == "sqlite" else {})
    while True:
        daemon.freeze()
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(locked)
                connection.rollback()
            break
        except OperationalError:
            daemon.send(signal.SIGCONT)
            time.sleep(0.05)
    engine.dispose()


@pytest.mark.slow
def test_a_frozen_daemon_is_fenced_out(database_url: URL, tmp_path: Path) -> None:
    # Given a daemon whose run writes all the time, and a stand-by. The daemon is frozen until the stand-by leads.
    # The stand-by closes its runs. Then the daemon goes on: its writes are refused, and it stands by.
    # Nothing that it wrote after the freeze is there. It leads again once the other has ended.
    state = migrated(database_url)
    with processes(database_url, tmp_path, JOBS="writer quick") as start:
        first = start("first")
        first.says("leading")
        eventually(lambda: position(state) == str(first.pid))
        second = start("second")
        second.says("standing by")
        freeze(first, database_url)
        second.says("leading")
        assert outcomes(state, "writer") == ["interrupted"]
        first.send(signal.SIGCONT)
        first.says("stands by")
        first.says("interrupted after")
        eventually(lambda: len(rows_of(state, "quick")) > 3)
        assert position(state) == str(first.pid)
        assert second.end() == 0
        first.says("leading", 2)
        assert first.end() == 0
    assert None not in outcomes(state)
    check_slots(state, "quick", EVERY_SECOND)
    state.close()


def test_sigterm_ends_it_in_order(tmp_path: Path) -> None:
    state = migrated(lite(tmp_path))
    with processes(lite(tmp_path), tmp_path, JOBS="endless") as start:
        daemon, other = start("daemon"), None
        daemon.says("going on")
        other = start("other")
        other.says("standing by")
        assert other.end() == 0
        assert daemon.end() == 0
        assert daemon.text.rstrip().endswith("stopped")
    assert [(row.outcome, row.reason) for row in rows_of(state)] == [("interrupted", "the daemon was asked to stop")]


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with processes(lite(tmp_path), tmp_path, JOBS="deaf", GRACE_SECONDS="60") as start:
        daemon = start()
        daemon.says("deaf 1] deaf")
        daemon.send(signal.SIGINT)
        daemon.says("stopping: waiting up to 60 s for deaf")
        assert daemon.end(signal.SIGTERM) == 128 + signal.SIGTERM


@pytest.mark.slow
def test_a_child_dies_with_its_daemon(tmp_path: Path) -> None:
    # Given a task in a child process, which has started a process of its own. The daemon is killed.
    # The child notices that its parent is gone, and ends.
    # No process of the task stays behind.
    with processes(lite(tmp_path), tmp_path, JOBS="parent") as start:
        daemon, file = start(), tmp_path / "child"
        eventually(lambda: file.exists() and file.read_text(encoding="ascii"))
        child = int(file.read_text(encoding="ascii"))
        started = eventually(lambda: Path(f"/proc/{child}/task/{child}/children").read_text(encoding="ascii").split())
        daemon.end(signal.SIGKILL)
        eventually(lambda: not alive(child) and not alive(int(started[0])))


@pytest.mark.slow
def test_a_newer_schema_ends_the_start_in_one_line(tmp_path: Path) -> None:
    state = migrated(lite(tmp_path))
    with state.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with processes(lite(tmp_path), tmp_path, JOBS="quick") as start:
        daemon = start()
        assert daemon.wait() == 3
        assert "has schema 9999, and this release knows schemas up to" in daemon.text
        assert "Traceback" not in daemon.text
    assert rows_of(state) == []


@pytest.mark.slow
def test_a_daemon_takes_an_older_release_s_place(database_url: URL, tmp_path: Path) -> None:
    # Given: a daemon of the release before leads. A daemon of this release starts beside it, and is killed.
    # What must hold: the schema stays. Once the other daemon has gone, a daemon of this release migrates, and leads.
    state = older(database_url, "0005")
    with state.begin() as connection:
        fence = leases.acquire(connection, leases.DAEMON, ELSEWHERE, state.now(connection), 600)
    assert fence is not None
    with processes(database_url, tmp_path, JOBS="quick") as start:
        daemon = start("daemon")
        daemon.says("has schema 0005, this release needs schema")
        daemon.end(signal.SIGKILL)
        assert state.version() == "0005"
        with state.begin() as connection:
            leases.release(connection, fence)
        daemon = start("daemon")
        daemon.says("leading with", 1)
        assert "make the table identity: done in" in daemon.text and "Traceback" not in daemon.text
        eventually(lambda: "succeeded" in outcomes(state, "quick"))
        assert daemon.end() == 0
    assert state.version() == SCHEMA_VERSION and outcomes(state, "follow") == ["succeeded"]
    state.close()


def test_a_failure_hard_to_describe_ends_its_run_alone(tmp_path: Path) -> None:
    # Given a daemon with a coroutine that waits, and a job that fails with 3,000 causes. It is asked to stop.
    # The failures are on record as such, the coroutine is cancelled at once, and nothing waits for the grace.
    state = migrated(lite(tmp_path))
    with processes(lite(tmp_path), tmp_path, JOBS="hostile patient", GRACE_SECONDS="60") as start:
        daemon = start()
        eventually(lambda: outcomes(state, "hostile")[:1] == ["failed"])
        eventually(lambda: [lines_of(state, row.id) for row in rows_of(state, "patient")] == [["patient"]])
        assert daemon.end() == 0
    (row,) = rows_of(state, "patient")
    assert (row.outcome, row.reason) == ("interrupted", "the daemon was asked to stop")
    assert lines_of(state, row.id) == ["patient", "no longer patient"]
    # On a busy machine a slot may find the run before it still at work.
    hostile = [row for row in rows_of(state, "hostile") if row.outcome != "skipped"]
    assert {row.reason for row in hostile} == {"ValueError: cause 2999"}
    state.close()
