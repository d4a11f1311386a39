"""The write lock: a run waits for a process that has the SQLite file to itself, and nobody else waits for long."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.errors import Cancelled, DeadlineExceeded, StatementTimeout, Unavailable
from janitor.runs import Run, running
from janitor.state import State, cursors, database
from janitor.state.write_lock import LOCK_SECONDS, Turns, WriteLock
from tests.forked import code_of_child
from tests.small_engine import eventually, lite_state, now


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """A state database whose statements wait a twentieth of a second for their turn."""
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 0.05)
    made = State(lite_state(tmp_path / "state.db"))
    yield made
    made.close()


@pytest.fixture
def other(state: State) -> Iterator[sqlite3.Connection]:
    """Another process that has the file to itself."""
    path = str(state.url.database)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as made:
        made.execute("BEGIN IMMEDIATE")
        yield made


@pytest.mark.parametrize("run", [Run(id=7), None])
def test_a_run_and_what_is_recorded_of_it_wait_for_their_turn(
    run: Run | None, state: State, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    # Given: a file that another process has to itself for longer than a statement waits. What happens: a run writes, or
    # is recorded. What must hold: it waits until the file is free, which is told once; nothing is written twice.
    def save() -> None:
        if run is None:
            with state.begin(patient=True) as connection:
                cursors.save(connection, "feed", "seven", now(), 1)
            return
        with running(run), state.begin() as connection:
            cursors.save(connection, "feed", "seven", now(), 1)

    caplog.set_level("INFO", "janitor")
    saving = threading.Thread(target=save)
    saving.start()
    eventually(lambda: caplog.records)
    time.sleep(0.2)
    assert saving.is_alive()
    other.execute("COMMIT")
    saving.join(30)
    with state.read() as connection:
        assert cursors.load(connection, "feed") == "seven"
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "another process has" in caplog.text and "takes writes again" in caplog.text


def test_whoever_is_no_run_learns_soon_that_the_file_is_locked(state: State, other: sqlite3.Connection) -> None:
    with pytest.raises(StatementTimeout, match="waited too long for a lock that another process holds"), state.begin():
        pass


def test_a_run_that_must_end_waits_no_longer(state: State, other: sqlite3.Connection) -> None:
    late, stopped = Run(id=7, deadline=time.monotonic() + 0.1), Run(id=8)
    stopped.ask_to_stop(Cancelled("enough"))
    for run, error in ((late, DeadlineExceeded), (stopped, Cancelled)):
        with running(run), pytest.raises(error), state.begin():
            pass


def test_the_wait_has_an_end() -> None:
    clock = [100.0]
    lock = WriteLock("state.db", clock=lambda: clock[0])
    until, locked = lock.until(patient=True), StatementTimeout("locked")
    locked.__cause__ = sqlite3.OperationalError("database is locked")
    for clock[0] in (100.0, 99.0 + LOCK_SECONDS):
        lock.wait(locked, until)
    clock[0] = 100.0 + LOCK_SECONDS
    with pytest.raises(StatementTimeout):
        lock.wait(locked, until)
    with pytest.raises(StatementTimeout):
        lock.wait(locked, lock.until(patient=False))


def test_connections_that_all_wait_are_waited_for_too() -> None:
    # Given: a pool without a free connection. What must hold: it is waited for if the file is locked; else it fails at
    # once, as everything else does.
    lock = WriteLock("state.db")
    used_up, locked = Unavailable("no free connection"), StatementTimeout("locked")
    used_up.__cause__, locked.__cause__ = PoolTimeout("used up"), sqlite3.OperationalError("database is locked")
    with pytest.raises(Unavailable, match="no free connection"):
        lock.wait(used_up, lock.until(patient=True))
    lock.wait(locked, lock.until(patient=True))
    lock.wait(used_up, lock.until(patient=True))
    lock.has_begun()
    with pytest.raises(Unavailable, match="no free connection"):
        lock.wait(used_up, lock.until(patient=True))


def test_threads_write_one_after_the_other() -> None:
    # Given: a thread whose turn it is. What happens: another one waits. What must hold: it goes on once the first is
    # done, also if that failed; whoever has waited long enough goes on without.
    turns, order = Turns(), list[str]()
    has_begun = threading.Event()

    def write() -> None:
        has_begun.set()
        with turns.taken(30):
            order.append("second")

    second = threading.Thread(target=write)
    with pytest.raises(ZeroDivisionError), turns.taken(30):
        second.start()
        assert has_begun.wait(30)
        with turns.taken(0.05):
            order.append("without")
        order.append("first")
        1 / 0
    second.join(30)
    assert order == ["without", "first", "second"]
    with turns.taken(0):
        assert not turns._turn.acquire(blocking=False)


def test_a_forked_child_has_turns_of_its_own() -> None:
    turns = Turns()

    def take() -> None:
        assert turns._turn.acquire(blocking=False)

    with turns.taken(30):
        assert code_of_child(take) == 0
        assert not turns._turn.acquire(blocking=False)


def test_writers_of_one_process_do_not_sleep_for_one_another(state: State) -> None:
    # Given: a transaction that goes on for longer than a statement would wait for the file. What happens: another
    # thread writes meanwhile. What must hold: the first is not disturbed, and the second is written after it.
    written: list[str] = []

    def write() -> None:
        with state.begin(patient=True) as connection:
            cursors.save(connection, "feed", "two", now(), 1)
        written.append("two")

    with state.begin() as connection:
        cursors.save(connection, "feed", "one", now(), 1)
        second = threading.Thread(target=write)
        second.start()
        second.join(0.3)
        assert second.is_alive()
        written.append("one")
    second.join(30)
    assert written == ["one", "two"]
