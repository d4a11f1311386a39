"""What is said when a database says no: one sentence, without the statement and without the password."""

import socket

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.databases import Limits
from janitor.databases.errors import is_duplicate, lost_a_race
from janitor.errors import Rejected, Unavailable
from tests.databases.numbers_table import SECRET, read_with, refuses, write_with
from tests.servers import SqlServer, free_port


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT * FROM nowhere", "a table is missing (at|in) .*nowhere.*; check the"),
        ("SELECT colour FROM t", "a column is missing (at|in) .*colour.*; this task was made for another table"),
        ("SELECT n FROM t WHERE WHERE n = 'a secret'", ".* refused a statement: .*WHERE"),
        ("INSERT INTO t (n) VALUES (1)", "(a row was refused at .*Duplicate entry '1'|.* refused a row: UNIQUE)"),
    ],
)
def test_a_refused_statement_is_told(url: URL, statement: str, sentence: str) -> None:
    with pytest.raises(Rejected, match=f"^{sentence}") as caught:
        write_with(url, statement)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("statement", "lost"), [("INSERT INTO t (n) VALUES (1)", True), ("DELETE FROM nowhere", False)]
)
def test_a_row_that_is_there_is_a_lost_race(url: URL, statement: str, lost: bool) -> None:
    with pytest.raises(Rejected) as caught:
        write_with(url, statement)
    assert (lost_a_race(caught.value), is_duplicate(caught.value)) == (lost, lost)


def test_a_refused_login_is_told(mariadb: SqlServer) -> None:
    name = mariadb.create_database().database or ""
    user = f"user{free_port()}"
    mariadb.execute(f"CREATE USER {user} IDENTIFIED BY 'right'", f"GRANT SELECT ON `{name}`.* TO {user}")
    place = f"127.0.0.1:{mariadb.admin.port}"
    wrong, right = mariadb.url(name, user, SECRET), mariadb.url(name, user, "right")
    nobody, elsewhere = wrong.set(username="nobody"), right.set(database="elsewhere")
    refuses(wrong, Rejected, f"access denied at {place}/{name}: Access denied for user '{user}'@")
    refuses(nobody, Rejected, f"access denied at {place}/{name}: Access denied for user 'nobody'@")
    refuses(elsewhere, Rejected, f"access denied at {place}/elsewhere: Access denied for user")
    with pytest.raises(Rejected, match="^a grant is missing at .*: CREATE command denied to user"):
        write_with(right, "CREATE TABLE mine (n int)")
    mariadb.execute(f"DROP USER {user}")


def test_a_missing_database_is_told(mariadb: SqlServer) -> None:
    place = f"127.0.0.1:{mariadb.admin.port}/elsewhere"
    absent = mariadb.admin.set(database="elsewhere")
    refuses(absent, Rejected, f"there is no such database at {place}: Unknown database 'elsewhere'; check")


def test_an_unreachable_server_is_told() -> None:
    port = free_port()
    url = URL.create("mysql+pymysql", "someone", SECRET, "127.0.0.1", port, "mlwh")
    unknown = url.set(host="no-such-host.invalid")
    refuses(url, Unavailable, f"127.0.0.1:{port}/mlwh cannot be reached: Can't connect to MySQL server on '127.0.0.1'")
    refuses(unknown, Unavailable, f"no-such-host.invalid:{port}/mlwh cannot be reached: Can't")


def test_a_silent_server_is_given_up() -> None:
    databases.configure(Limits(connect_seconds=1, statement_seconds=1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = URL.create("mysql+pymysql", "someone", SECRET, "127.0.0.1", port, "mlwh")
        refuses(url, Unavailable, f"127.0.0.1:{port}/mlwh ")


def test_a_refusal_leaves_the_next_statement_alone(url: URL) -> None:
    with pytest.raises(Rejected):
        read_with(url, "SELECT * FROM nowhere")
    read_with(url, "SELECT * FROM t")
