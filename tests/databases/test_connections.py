"""Connections for tasks, to real servers: what they may do, and how long they may take."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import URL, create_engine

from janitor import databases
from janitor.databases import Limits
from janitor.errors import Cancelled, DeadlineExceeded, Rejected, StatementTimeout, Unavailable
from janitor.runs import Run, running
from tests.databases.numbers_table import ENDLESS, count, read_with, refuses, write_with
from tests.servers import MariaDB, SqlServer


def test_reading_cannot_write(url: URL) -> None:
    for statement in ("INSERT INTO t (n) VALUES (101)", "DELETE FROM t", "UPDATE t SET word = 'x'"):
        with pytest.raises(Rejected, match="does not take writes|cannot be written"):
            read_with(url, statement)
    assert count(url) == 100


def test_a_transaction_is_whole_or_not_at_all(url: URL) -> None:
    with pytest.raises(ZeroDivisionError), databases.begin(url) as connection:
        connection.exec_driver_sql("DELETE FROM t WHERE n > 10")
        raise ZeroDivisionError
    assert count(url) == 100
    write_with(url, "DELETE FROM t WHERE n > 10")
    assert count(url) == 10


def test_a_dry_run_counts_rows_and_writes_none(url: URL) -> None:
    with running(Run(dry_run=True)), databases.begin(url) as connection:
        assert connection.exec_driver_sql("DELETE FROM t WHERE n > 10").rowcount == 90
    assert count(url) == 100


def test_each_read_sees_what_was_committed(url: URL) -> None:
    with databases.read(url) as connection:
        for expected in (100, 99, 98):
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == expected
            write_with(url, f"DELETE FROM t WHERE n = {expected}")


def test_a_write_transaction_sees_new_commits(url: URL) -> None:
    if databases.family(url) == "sqlite":
        pytest.skip("a SQLite file takes one writing transaction at a time")
    with databases.begin(url) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == 100
        write_with(url, "DELETE FROM t WHERE n = 1")
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == 99


@pytest.mark.parametrize("run_statement", [read_with, write_with])
def test_a_statement_over_its_limit_is_stopped(url: URL, run_statement: Callable[[URL, str], None]) -> None:
    databases.configure(Limits(statement_seconds=0.7))
    with pytest.raises(StatementTimeout, match=r"^(a statement ran over its time limit|.* did not answer within)"):
        run_statement(url, ENDLESS)
    assert count(url) == 100


def test_a_block_may_last_longer_than_a_statement(url: URL) -> None:
    databases.configure(Limits(statement_seconds=0.4))
    with databases.read(url) as connection:
        for _ in range(4):
            time.sleep(0.15)
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM t AS a, t AS b").scalar_one() == 10_000


@pytest.mark.parametrize("run_statement", [read_with, write_with])
def test_a_statement_ends_at_the_runs_deadline(url: URL, run_statement: Callable[[URL, str], None]) -> None:
    """Given a limit of 20 s and a run with 0.8 s left, an endless statement ends with the run, not before."""
    run = Run(deadline=time.monotonic() + 0.8, timeout_seconds=0.8)
    with running(run), pytest.raises(DeadlineExceeded, match=r"^over its timeout of 0\.8 s$"):
        run_statement(url, ENDLESS)
    assert time.monotonic() < run.deadline + 15
    assert count(url) == 100


def test_the_next_run_has_the_whole_limit_again(url: URL) -> None:
    """Given a pooled connection that a nearly ended run used, the next run's statement ends at the full limit."""
    databases.configure(Limits(statement_seconds=1.5))
    with running(Run(deadline=time.monotonic() + 0.3)):
        count(url)
    started = time.monotonic()
    with pytest.raises(StatementTimeout):
        read_with(url, ENDLESS)
    assert time.monotonic() - started > 1.2


def test_a_run_over_its_time_gets_no_connection(url: URL) -> None:
    with running(Run(deadline=time.monotonic() - 1)), pytest.raises(DeadlineExceeded):
        count(url)
    run = Run()
    run.ask_to_stop(Cancelled("asked to stop"))
    with running(run), pytest.raises(Cancelled):
        count(url)


def test_waiting_for_a_lock_ends(url: URL) -> None:
    databases.configure(Limits(statement_seconds=1))
    with create_engine(url).connect() as other:
        if databases.family(url) == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.exec_driver_sql("UPDATE t SET word = 'mine' WHERE n = 7")
        started = time.monotonic()
        with pytest.raises(StatementTimeout, match="time limit|waited too long for a lock"):
            write_with(url, "UPDATE t SET word = 'ours' WHERE n = 7")
        assert time.monotonic() - started > 0.8
        other.rollback()
    write_with(url, "UPDATE t SET word = 'ours' WHERE n = 7")


def test_a_connection_ended_by_the_server_is_replaced(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    with pytest.raises(Unavailable, match="was ended by an administrator|was lost|was stopped"):
        with databases.read(url) as connection:
            number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
            threading.Timer(0.1, mariadb.execute, [f"KILL {number}"]).start()
            connection.exec_driver_sql("SELECT SLEEP(10)")
    read_with(url, "SELECT 1")


def test_a_server_that_comes_back_is_used_again(mariadb: SqlServer) -> None:
    if not isinstance(mariadb, MariaDB):
        pytest.skip("the server was given, so it is not ours to stop")
    url = mariadb.create_database()
    read_with(url, "SELECT 1")
    with mariadb.stopped():
        refuses(url, Unavailable, f"127.0.0.1:{mariadb.port}/{url.database} cannot be reached: ")
    read_with(url, "SELECT 1")
