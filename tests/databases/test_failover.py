"""Failover: a pool that leads to the old server is closed, and the next transaction finds the new server.

Given: two servers, and a name that leads to the first; connections to it are in the pool.
What happens: the name leads to the second, and the first is read-only, or ends the sessions.
What must hold: one transaction fails at most; later writes and reads reach the second server.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.databases.errors import is_another_server
from janitor.errors import JanitorError, Rejected
from janitor.state import State
from tests.databases.numbers_table import count, read_with, write_with
from tests.faults.proxy import Proxy
from tests.servers import SqlServer, second_sql_server


@pytest.fixture(scope="module")
def second() -> Iterator[SqlServer]:
    with second_sql_server() as server:
        yield server


@pytest.fixture
def name(mariadb: SqlServer, second: SqlServer) -> Iterator[tuple[URL, Proxy]]:
    """A URL that leads to a table on the first server, for a user that may not write while it is read-only."""
    for server in (mariadb, second):
        server.execute(
            "CREATE DATABASE moved",
            "CREATE TABLE moved.t (n INTEGER NOT NULL PRIMARY KEY)",
            "CREATE USER mover",
            "GRANT ALL ON moved.* TO mover",
        )
    assert mariadb.admin.host and mariadb.admin.port
    with Proxy(mariadb.admin.host, mariadb.admin.port) as proxy:
        yield mariadb.url("moved", "mover").set(host="127.0.0.1", port=proxy.port), proxy
        databases.dispose()
    for server in (mariadb, second):
        server.execute("SET GLOBAL read_only = 0", "DROP DATABASE moved", "DROP USER mover")


def move(proxy: Proxy, second: SqlServer) -> None:
    assert second.admin.host and second.admin.port
    proxy.lead_to(second.admin.host, second.admin.port)


def test_after_a_failover_the_new_server_is_written_and_read(
    name: tuple[URL, Proxy], mariadb: SqlServer, second: SqlServer
) -> None:
    url, proxy = name
    write_with(url, "INSERT INTO t VALUES (1)")
    read_with(url, "SELECT 1")
    move(proxy, second)
    mariadb.execute("SET GLOBAL read_only = 1")
    with pytest.raises(Rejected, match="does not take writes: .*; the server is read-only$"):
        write_with(url, "INSERT INTO t VALUES (2)")
    write_with(url, "INSERT INTO t VALUES (3)")
    with databases.read(url) as connection:
        assert connection.exec_driver_sql("SELECT n FROM t").scalars().all() == [3]
    assert second.execute("SELECT n FROM moved.t") == [(3,)]


def test_a_transaction_that_may_only_read_ends_with_its_connection(
    name: tuple[URL, Proxy], mariadb: SqlServer, second: SqlServer
) -> None:
    url, proxy = name
    with pytest.raises(Rejected, match="this session may only read"), databases.begin(url) as connection:
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    move(proxy, second)
    write_with(url, "INSERT INTO t VALUES (2)")
    assert second.execute("SELECT n FROM moved.t") == [(2,)]


def test_sessions_that_the_old_server_ends_are_all_replaced(
    name: tuple[URL, Proxy], mariadb: SqlServer, second: SqlServer
) -> None:
    url, proxy = name
    write_with(url, "INSERT INTO t VALUES (1)")
    read_with(url, "SELECT 1")
    move(proxy, second)
    with pytest.raises(JanitorError), databases.begin(url) as connection:
        number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        mariadb.execute(f"KILL {number}")
        connection.exec_driver_sql("INSERT INTO t VALUES (2)")
    with databases.read(url) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar() == 0


def test_who_reads_leaves_the_server_that_a_writer_left(
    name: tuple[URL, Proxy], mariadb: SqlServer, second: SqlServer
) -> None:
    # Given: the state database and a task's database on one server, each with connections that read and that write.
    # What happens: the name leads to another server, and the state database refuses a write.
    # What must hold: all that reads reaches the other server too; else a ledger would be read that is written no more.
    url, proxy = name
    state = State(url)
    for each in (mariadb, second):
        each.execute("DELETE FROM moved.t", f"INSERT INTO moved.t VALUES ({1 if each is mariadb else 2})")
    with state.begin() as connection:
        assert state.now(connection).tzinfo
    assert numbers(state) == [1] and count(url) == 1
    move(proxy, second)
    mariadb.execute("SET GLOBAL read_only = 1", "INSERT INTO moved.t VALUES (10)")
    with pytest.raises(Rejected), state.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (3)")
    assert numbers(state) == [2] and count(url) == 1
    state.close()


def test_who_only_reads_follows_the_name(name: tuple[URL, Proxy], mariadb: SqlServer, second: SqlServer) -> None:
    # Given: connections that only read, in use and in the pool; so no write can be refused.
    # What happens: the name leads to another server, and one more connection finds that server.
    # What must hold: the old server is read no more; else rows of today and of yesterday would be mixed.
    url, proxy = name
    mariadb.execute("DELETE FROM moved.t", "INSERT INTO moved.t VALUES (1)")
    second.execute("DELETE FROM moved.t", "INSERT INTO moved.t VALUES (1), (2)")
    with databases.read(url) as connection:
        assert count(url) == 1
        with databases.read(url):
            move(proxy, second)
            with databases.read(url):
                assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar() == 1
    assert {count(url) for _ in range(5)} == {2}


def numbers(state: State) -> list[int]:
    """What a state database reads of the table."""
    with state.read() as connection:
        return list(connection.exec_driver_sql("SELECT n FROM t").scalars())


def test_a_refused_row_costs_no_connection(name: tuple[URL, Proxy], mariadb: SqlServer) -> None:
    url, _ = name
    with databases.begin(url) as connection:
        before = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
    write_with(url, "INSERT INTO t VALUES (1)")
    with pytest.raises(Rejected) as caught:
        write_with(url, "INSERT INTO t VALUES (1)")
    assert caught.value.__cause__ is not None and not is_another_server(caught.value.__cause__)
    with databases.begin(url) as connection:
        assert connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one() == before


def test_a_sqlite_file_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    # Given: a file that a pooled connection has open.
    # What happens: another file is moved to its place, as a restore does; then it is removed.
    # What must hold: the new file is read, and a file that is gone is an error.
    url = URL.create("sqlite", database=str(tmp_path / "numbers.db"))
    for path, number in ((tmp_path / "numbers.db", 1), (tmp_path / "restored.db", 2)):
        path.touch()
        made = url.set(database=str(path))
        write_with(made, "CREATE TABLE t (n INTEGER)")
        write_with(made, f"INSERT INTO t VALUES ({number})")
    (tmp_path / "restored.db").replace(tmp_path / "numbers.db")
    with databases.read(url) as connection:
        assert connection.exec_driver_sql("SELECT n FROM t").scalar() == 2
    (tmp_path / "numbers.db").unlink()
    with pytest.raises(Rejected, match="cannot be opened"):
        read_with(url, "SELECT n FROM t")
    databases.dispose()
