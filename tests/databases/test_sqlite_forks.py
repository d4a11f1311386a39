"""Forks beside transactions on SQLite files.

Given: a thread in the middle of a transaction. What happens: another thread forks, and the child writes to the file.
What must hold: the child writes at once. Without the gate it would find the file locked by itself, for ever.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.databases.sqlite_forks import LONGEST_SECONDS, Gate
from tests.databases.numbers_table import count, write_with
from tests.forked import code_of_child

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
SOON = 0.2


@pytest.fixture
def url(tmp_path: Path) -> Iterator[URL]:
    """An empty table in a file."""
    (tmp_path / "numbers.db").touch()
    made = URL.create("sqlite", database=str(tmp_path / "numbers.db"))
    write_with(made, "CREATE TABLE t (n INTEGER)")
    yield made
    databases.dispose()


def child_writes_beside(act: Callable[[], None], begun: threading.Event, end: threading.Event, url: URL) -> None:
    """Fork a child that writes, while another thread is in the middle of something; that ends soon."""
    thread = threading.Thread(target=act)
    thread.start()
    assert begun.wait(30)
    threading.Timer(SOON, end.set).start()
    assert code_of_child(lambda: write_with(url, "INSERT INTO t VALUES (2)")) == 0
    thread.join()


def test_a_child_writes_to_a_file_that_was_being_written(url: URL) -> None:
    begun, end = threading.Event(), threading.Event()

    def write() -> None:
        with databases.begin(url) as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            begun.set()
            end.wait(30)

    child_writes_beside(write, begun, end, url)
    assert count(url) == 2


def test_a_child_writes_to_a_file_that_was_being_read(url: URL) -> None:
    # Without a write-ahead log a reader locks the file too: the child waited for itself for a minute.
    write_with(url, f"INSERT INTO t VALUES {', '.join('(1)' for _ in range(5_000))}")
    begun, end = threading.Event(), threading.Event()

    def read() -> None:
        with databases.read(url) as connection:
            found = connection.exec_driver_sql("SELECT n FROM t")
            found.fetchone()
            begun.set()
            end.wait(30)
            found.close()

    child_writes_beside(read, begun, end, url)
    assert count(url) == 5_001


def test_a_thread_may_fork_within_its_own_transaction(url: URL) -> None:
    with databases.begin(url) as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert code_of_child(lambda: None) == 0
    assert count(url) == 1


def test_a_fork_waits_for_a_transaction_and_not_for_ever() -> None:
    gate = Gate(longest_seconds=SOON)
    with gate.inside(), gate.inside():
        thread = threading.Thread(target=gate.before_fork)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    gate.after_fork()


def test_a_long_transaction_holds_up_one_fork_and_shortly() -> None:
    # Given: a transaction that does not end. What happens: a task forks, as often as a pool of processes does.
    # What must hold: only the first fork waits for it, and not long; a later transaction is waited for anew.
    gate, began = Gate(), time.monotonic()
    with gate.inside():
        fork_in_thread(gate, times=10)
    assert time.monotonic() - began < 1.5
    with gate.inside():
        began = time.monotonic()
        fork_in_thread(gate, times=1)
    assert time.monotonic() - began > LONGEST_SECONDS / 2


def fork_in_thread(gate: Gate, times: int) -> None:
    def fork() -> None:
        for _ in range(times):
            gate.before_fork()
            gate.after_fork()

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join(60)


def test_a_transaction_waits_for_a_fork() -> None:
    gate, order = Gate(longest_seconds=30), list[str]()
    gate.before_fork()

    def enter() -> None:
        with gate.inside():
            order.append("inside")

    thread = threading.Thread(target=enter)
    thread.start()
    order.append("forked")
    gate.after_fork()
    thread.join()
    assert order == ["forked", "inside"]
