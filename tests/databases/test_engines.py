"""Connections to real servers: what they may do, how long they may take, and what is said when they fail."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from sqlalchemy import URL, create_engine, make_url

from janitor import databases
from janitor.databases import Limits
from janitor.databases.engines import make_engine
from janitor.errors import Cancelled, DeadlineExceeded, JanitorError, Rejected, StatementTimeout, Unavailable
from janitor.runs import Run, running
from tests.servers import MariaDB, SqlServer, free_port

SECRET = "pa%ss-w0rd"
SLOW = "SELECT COUNT(*) FROM t AS a, t AS b, t AS c, t AS d, t AS e, t AS f WHERE a.n + b.n + c.n + d.n + e.n = f.n"


@pytest.fixture(autouse=True)
def fresh_engines() -> Iterator[None]:
    databases.configure(Limits(statement_seconds=20, connect_seconds=3))
    yield
    databases.configure(Limits())


@pytest.fixture
def url(database_url: URL) -> URL:
    """A database with a table of the numbers 1 to 100."""
    engine = make_engine(database_url, read_only=False, limits=Limits(), create=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER NOT NULL PRIMARY KEY, word VARCHAR(9))")
        numbers = ", ".join(f"({number})" for number in range(1, 101))
        connection.exec_driver_sql(f"INSERT INTO t (n) VALUES {numbers}")
    engine.dispose()
    return database_url


def count(url: URL) -> int:
    with databases.read(url) as connection:
        return int(connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one())


def run_statement(url: URL, statement: str, write: bool = False) -> None:
    with (databases.begin if write else databases.read)(url) as connection:
        connection.exec_driver_sql(statement)


def test_reading_cannot_write(url: URL) -> None:
    for statement in ("INSERT INTO t (n) VALUES (101)", "DELETE FROM t", "UPDATE t SET word = 'x'"):
        with pytest.raises(Rejected, match="does not take writes|cannot be written"):
            run_statement(url, statement)
    assert count(url) == 100


def test_a_transaction_is_whole_or_not_at_all(url: URL) -> None:
    with pytest.raises(ZeroDivisionError), databases.begin(url) as connection:
        connection.exec_driver_sql("DELETE FROM t WHERE n > 10")
        raise ZeroDivisionError
    assert count(url) == 100
    run_statement(url, "DELETE FROM t WHERE n > 10", write=True)
    assert count(url) == 10


def test_each_read_sees_what_was_committed(url: URL) -> None:
    with databases.read(url) as connection:
        for expected in (100, 99, 98):
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == expected
            run_statement(url, f"DELETE FROM t WHERE n = {expected}", write=True)


def test_a_write_transaction_sees_new_commits(url: URL) -> None:
    if databases.family(url) == "sqlite":
        pytest.skip("SQLite locks the file for one transaction that writes")
    with databases.begin(url) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == 100
        run_statement(url, "DELETE FROM t WHERE n = 1", write=True)
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one() == 99


@pytest.mark.parametrize("write", [False, True])
def test_a_statement_over_its_limit_is_stopped(url: URL, write: bool) -> None:
    databases.configure(Limits(statement_seconds=0.7))
    started = time.monotonic()
    with pytest.raises(StatementTimeout, match=r"^(a statement ran over its time limit|.* did not answer within)"):
        run_statement(url, SLOW, write)
    assert time.monotonic() - started < 6
    assert count(url) == 100


def test_sleep_is_stopped_too(mariadb: SqlServer) -> None:
    databases.configure(Limits(statement_seconds=0.5))
    started = time.monotonic()
    with pytest.raises(StatementTimeout, match="time limit at 127.0.0.1:.* and was stopped"):
        run_statement(mariadb.create_database(), "SELECT 1 FROM (SELECT 1) AS one WHERE SLEEP(30)")
    assert time.monotonic() - started < 6


def test_a_block_may_last_longer_than_a_statement(url: URL) -> None:
    databases.configure(Limits(statement_seconds=0.4))
    with databases.read(url) as connection:
        for _ in range(4):
            time.sleep(0.2)
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM t AS a, t AS b").scalar_one() == 10_000


@pytest.mark.parametrize("write", [False, True])
def test_a_statement_ends_at_the_runs_deadline(url: URL, write: bool) -> None:
    started = time.monotonic()
    run = Run(deadline=started + 0.8, timeout_seconds=0.8)
    with running(run), pytest.raises(DeadlineExceeded, match=r"^over its timeout of 0\.8 s$"):
        run_statement(url, SLOW, write)
    assert 0.7 < time.monotonic() - started < 6
    assert count(url) == 100


def test_the_next_run_has_the_whole_limit_again(url: URL) -> None:
    with running(Run(deadline=time.monotonic() + 0.3)):
        count(url)
    time.sleep(0.4)
    started = time.monotonic()
    databases.configure(Limits(statement_seconds=1.5))
    with pytest.raises(StatementTimeout):
        run_statement(url, SLOW)
    assert time.monotonic() - started > 1.2


def test_a_run_over_its_time_gets_no_connection(url: URL) -> None:
    with running(Run(deadline=time.monotonic() - 1)), pytest.raises(DeadlineExceeded):
        count(url)
    run = Run()
    run.ask_to_stop(Cancelled("asked to stop"))
    with running(run), pytest.raises(Cancelled):
        count(url)


def test_a_lock_is_not_awaited_for_ever(url: URL) -> None:
    databases.configure(Limits(statement_seconds=1))
    with create_engine(url).connect() as other:
        if databases.family(url) == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.exec_driver_sql("UPDATE t SET word = 'mine' WHERE n = 7")
        started = time.monotonic()
        with pytest.raises(StatementTimeout, match="time limit|waited too long for a lock"):
            run_statement(url, "UPDATE t SET word = 'ours' WHERE n = 7", write=True)
        assert 0.8 < time.monotonic() - started < 6
        other.rollback()
    run_statement(url, "UPDATE t SET word = 'ours' WHERE n = 7", write=True)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT * FROM nowhere", "a table is missing (at|in) .*nowhere.*; check the"),
        ("SELECT colour FROM t", "a column is missing (at|in) .*colour.*; the table is not the one"),
        ("SELECT n FROM t WHERE WHERE n = 'a secret'", ".* refused a statement: .*WHERE"),
        ("INSERT INTO t (n) VALUES (1)", "(a row was refused at .*Duplicate entry '1'|.* refused a row: UNIQUE)"),
    ],
)
def test_what_is_missing_is_said(url: URL, statement: str, sentence: str) -> None:
    with pytest.raises(Rejected, match=f"^{sentence}") as caught:
        run_statement(url, statement, write=True)
    assert "\n" not in str(caught.value)


def says(url: URL, kind: type[JanitorError], sentence: str) -> None:
    """Check that connecting fails with one sentence that begins so, and that holds no password, nor do its causes."""
    with pytest.raises(kind) as caught:
        run_statement(url, "SELECT 1")
    text = str(caught.value)
    assert text.startswith(sentence), text
    assert "\n" not in text
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error) and SECRET not in repr(error)
        error = error.__cause__


def test_bad_logins_are_told_in_one_sentence(mariadb: SqlServer) -> None:
    name = mariadb.create_database().database or ""
    user = f"user{free_port()}"
    mariadb.execute(f"CREATE USER {user} IDENTIFIED BY 'right'", f"GRANT SELECT ON `{name}`.* TO {user}")
    place = f"127.0.0.1:{mariadb.admin.port}"
    wrong = mariadb.url(name, user, SECRET)
    says(wrong, Rejected, f"access denied at {place}/{name}: Access denied for user '{user}'@")
    says(wrong.set(username="nobody"), Rejected, f"access denied at {place}/{name}: Access denied for user 'nobody'@")
    right = mariadb.url(name, user, "right")
    says(right.set(database="elsewhere"), Rejected, f"access denied at {place}/elsewhere: Access denied for user")
    absent = mariadb.admin.set(database="elsewhere")
    says(absent, Rejected, f"there is no such database at {place}/elsewhere: Unknown database 'elsewhere'; check")
    with pytest.raises(Rejected, match="^a grant is missing at .*: CREATE command denied to user"):
        run_statement(right, "CREATE TABLE mine (n int)", write=True)
    mariadb.execute(f"DROP USER {user}")


def test_an_unreachable_server_is_told_in_one_sentence() -> None:
    port = free_port()
    url = URL.create("mysql+pymysql", "someone", SECRET, "127.0.0.1", port, "mlwh")
    says(url, Unavailable, f"127.0.0.1:{port}/mlwh cannot be reached: Can't connect to MySQL server on '127.0.0.1'")
    says(
        url.set(host="no-such-host.invalid"), Unavailable, f"no-such-host.invalid:{port}/mlwh cannot be reached: Can't"
    )


def test_a_silent_server_is_given_up() -> None:
    databases.configure(Limits(connect_seconds=1, statement_seconds=1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        url = URL.create("mysql+pymysql", "someone", SECRET, "127.0.0.1", port, "mlwh")
        says(url, Unavailable, f"127.0.0.1:{port}/mlwh ")
        assert time.monotonic() - started < 8


def test_a_connection_ended_by_the_server_is_replaced(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    with pytest.raises(Unavailable, match="was ended by an administrator|was lost|was stopped"):
        with databases.read(url) as connection:
            number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
            threading.Timer(0.3, mariadb.execute, [f"KILL {number}"]).start()
            connection.exec_driver_sql("SELECT SLEEP(10)")
    run_statement(url, "SELECT 1")


def test_a_server_that_comes_back_is_used_again(mariadb: SqlServer) -> None:
    if not isinstance(mariadb, MariaDB):
        pytest.skip("the server was given, so it is not ours to stop")
    url = mariadb.create_database()
    run_statement(url, "SELECT 1")
    with mariadb.stopped():
        says(url, Unavailable, f"127.0.0.1:{mariadb.port}/{url.database} cannot be reached: ")
    run_statement(url, "SELECT 1")


def test_sqlite_files_are_opened_but_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(Rejected, match=f"^the file {missing} cannot be opened: .*; check the path"):
        count(make_url(f"sqlite:///{missing}"))
    assert not missing.exists()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(Rejected, match=f"^{broken} is not a SQLite database: "):
        count(make_url(f"sqlite:///{broken}"))


def test_a_sqlite_path_may_hold_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20é.db"
    url = URL.create("sqlite", database=str(path))
    engine = make_engine(url, read_only=False, limits=Limits(), create=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    engine.dispose()
    assert count(url) == 0
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_sessions_are_strict_and_in_utc(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    for opened in (databases.read, databases.begin):
        with opened(url) as connection:
            mode, zone = connection.exec_driver_sql("SELECT @@sql_mode, @@time_zone").one()
        assert "STRICT_ALL_TABLES" in mode and "ANSI_QUOTES" not in mode and "NO_BACKSLASH_ESCAPES" not in mode
        assert zone == "+00:00"


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MariaDB, Path]]:
    """A server that takes only TLS from its user `tls`, and the file of the CA that signed its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    server = MariaDB(f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}")
    try:
        server.start()
        server.execute(f"CREATE USER tls IDENTIFIED BY '{SECRET}' REQUIRE SSL", "CREATE DATABASE mlwh")
        server.execute("GRANT ALL ON mlwh.* TO tls")
        yield server, folder / "ca.pem"
    finally:
        server.close()


def test_tls_with_a_ca_file(tls_server: tuple[MariaDB, Path]) -> None:
    server, authority = tls_server
    url = server.url("mlwh", "tls", SECRET).update_query_dict({"ssl_ca": str(authority)})
    with databases.read(url) as connection:
        _, cipher = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()
    assert cipher


def test_tls_that_fails_is_told_in_one_sentence(tls_server: tuple[MariaDB, Path], tmp_path: Path) -> None:
    server, authority = tls_server
    place = f"127.0.0.1:{server.port}/mlwh"
    url = server.url("mlwh", "tls", SECRET)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    other = url.update_query_dict({"ssl_ca": str(tmp_path / "other.pem")})
    says(other, Rejected, f"TLS with {place} failed: Can't connect to MySQL server on '127.0.0.1'")
    missing = url.update_query_dict({"ssl_ca": str(tmp_path / "missing.pem")})
    says(missing, Rejected, f"TLS with {place} cannot be set up: ")
    by_name = url.set(host="localhost").update_query_dict({"ssl_ca": str(authority)})
    says(by_name, Rejected, f"TLS with localhost:{server.port}/mlwh failed: ")


def test_a_server_without_tls_is_refused(mariadb: SqlServer, tmp_path: Path) -> None:
    if not isinstance(mariadb, MariaDB):
        pytest.skip("the server was given, and may know TLS")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = mariadb.create_database().update_query_dict({"ssl_ca": str(tmp_path / "ca.pem")})
    says(url, Rejected, f"TLS with 127.0.0.1:{mariadb.port}/{url.database} failed: ")
