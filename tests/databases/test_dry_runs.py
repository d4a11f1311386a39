"""Dry runs on real servers: whatever a task does in its transaction, nothing of it stays.

Given: a table of 100 numbers, and a dry run.
What happens: a statement is run, or a commit, that no rollback would take back.
What must hold: it is refused in words, and the numbers are there as before; what can be taken back runs and is counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.errors import Rejected, RowRefused
from janitor.runs import Run, running
from tests.databases.numbers_table import count, write_with
from tests.servers import SqlServer


@contextmanager
def dry(url: URL) -> Iterator[Connection]:
    """A connection in a transaction of a dry run."""
    with running(Run(dry_run=True)), databases.begin(url) as connection:
        yield connection


def refused(url: URL, statement: str, reason: str) -> None:
    with (
        pytest.raises(Rejected, match=rf"^a dry run cannot take .* back, so it was not sent{reason}"),
        dry(url) as found,
    ):
        found.exec_driver_sql(statement)
    assert count(url) == 100


@pytest.mark.parametrize("option", ["autocommit=true", "init_command=SET autocommit=1", "isolation_level=AUTOCOMMIT"])
def test_no_option_of_the_url_lets_a_dry_run_write(url: URL, option: str) -> None:
    name, _, value = option.partition("=")
    on_server = databases.family(url) == "mysql"
    if (name == "isolation_level") == on_server:
        pytest.skip("an option of the other driver")
    if name == "autocommit" and not on_server:
        value = "1"
    with dry(url.update_query_dict({name: value})) as connection:
        assert connection.execute(text("DELETE FROM t WHERE n > 10")).rowcount == 90
    assert count(url) == 100


def test_a_server_that_commits_by_itself_does_not_in_a_dry_run(mariadb: SqlServer, url: URL) -> None:
    if databases.family(url) == "sqlite":
        pytest.skip("a SQLite file has no server")
    mariadb.execute("SET GLOBAL init_connect = 'SET autocommit = 1'", "CREATE USER plain", "GRANT ALL ON *.* TO plain")
    try:
        with dry(mariadb.url(url.database or "", "plain")) as connection:
            assert connection.exec_driver_sql("DELETE FROM t").rowcount == 100
    finally:
        mariadb.execute("SET GLOBAL init_connect = ''", "DROP USER plain")
    assert count(url) == 100


def test_what_rolls_back_runs_and_is_counted(url: URL) -> None:
    with dry(url) as connection:
        connection.exec_driver_sql("/* first */ INSERT INTO t (n, word) VALUES (101, 'DROP;--')")
        assert connection.exec_driver_sql("-- then\nUPDATE t SET word = 'COMMIT' WHERE n > 90").rowcount == 11
        connection.exec_driver_sql("SAVEPOINT here")
        assert connection.exec_driver_sql("DELETE FROM t").rowcount == 101
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT here")
        assert connection.exec_driver_sql("(SELECT COUNT(*) FROM t)" if on_mysql(url) else "SELECT 101").scalar() == 101
    assert count(url) == 100


def on_mysql(url: URL) -> bool:
    return databases.family(url) == "mysql"


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE TABLE t",
        "drop table t",
        "/* harmless */ ALTER TABLE t ADD more INTEGER",
        "CREATE TABLE other (n INTEGER)",
        "RENAME TABLE t TO other",
        "SET autocommit = 1",
        "SET GLOBAL max_connections = 200",
        "SET @@global.max_connections = 200",
        "SELECT NEXTVAL(numbers)",
        "SELECT NEXT VALUE FOR numbers",
        "SET PASSWORD = ''",
        "SET DEFAULT ROLE NONE",
        "START TRANSACTION",
        "COMMIT",
        "LOCK TABLES t WRITE",
        "CALL something()",
        "SELECT n INTO OUTFILE 'numbers' FROM t",
        "(SELECT n FROM t) INTO DUMPFILE 'numbers'",
        "WITH q AS (SELECT 1) SELECT * FROM q INTO OUTFILE 'numbers'",
        "TABLE t INTO OUTFILE 'numbers'",
        "VALUES (1) INTO OUTFILE 'numbers'",
        "/*!40000 DELETE FROM t */",
        "ANALYZE TABLE t",
    ],
)
def test_what_lasts_on_a_server_is_refused(mariadb: SqlServer, statement: str) -> None:
    url = numbers(mariadb)
    refused(url, statement, "$")


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        "end",
        "ROLLBACK",
        "ROLLBACK TRANSACTION",
        "VACUUM",
        "ATTACH ':memory:' AS other",
        "PRAGMA user_version = 3",
        "PRAGMA synchronous(0)",
    ],
)
def test_what_lasts_on_sqlite_is_refused(sqlite_url: URL, statement: str) -> None:
    refused(sqlite_url, statement, "$")


def test_ddl_of_sqlite_rolls_back(sqlite_url: URL) -> None:
    with dry(sqlite_url) as connection:
        connection.exec_driver_sql("DROP TABLE t")
    assert count(sqlite_url) == 100


def test_nothing_is_written_after_sqlite_has_rolled_back(sqlite_url: URL) -> None:
    # Given: a statement that rolls the whole transaction back as it fails, and a task that goes on all the same.
    # What happens: it reads, writes, and opens a savepoint. What must hold: it may read, the rest is refused.
    for statement in ("INSERT INTO t (n) VALUES (101)", "DROP TABLE t", "SAVEPOINT here"):
        with pytest.raises(Rejected, match="^a dry run cannot take this .* its transaction is over$"):
            with dry(sqlite_url) as connection:
                with pytest.raises(RowRefused):
                    connection.exec_driver_sql("INSERT OR ROLLBACK INTO t (n) VALUES (1)")
                assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar() == 100
                connection.exec_driver_sql(statement)
        assert count(sqlite_url) == 100


def test_a_commit_by_the_task_is_refused(url: URL) -> None:
    with (
        pytest.raises(Rejected, match="^a dry run cannot take a commit back, so it was not sent"),
        dry(url) as connection,
    ):
        connection.exec_driver_sql("DELETE FROM t")
        connection.commit()
    assert count(url) == 100


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_an_engine_that_cannot_roll_back_is_not_written(mariadb: SqlServer, engine: str) -> None:
    if engine not in {name for name, *_ in mariadb.execute("SHOW ENGINES")}:
        pytest.skip(f"this server has no engine {engine}")
    url = numbers(mariadb, f"ALTER TABLE t ENGINE = {engine}")
    reason = f": t has the engine {engine}$"
    for statement in ("DELETE FROM t", "UPDATE t AS x SET word = 'x'", "INSERT INTO `t` (n) VALUES (101)"):
        refused(url, statement, reason)
    refused(url, f"DELETE FROM {url.database}.t", reason)
    refused(url, "LOAD DATA LOCAL INFILE 'numbers' INTO TABLE t", reason)
    with dry(url) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t FOR UPDATE").scalar() == 100
        assert connection.exec_driver_sql("INSERT INTO good SELECT n FROM t").rowcount == 100
        assert connection.exec_driver_sql("DELETE FROM good").rowcount == 101
    write_with(url, "DELETE FROM t WHERE n > 10")
    assert count(url) == 10


def test_triggers_and_views_are_looked_through(mariadb: SqlServer) -> None:
    # Given: an InnoDB table with a trigger, and views; they lead to a table that cannot roll back.
    # What happens: a dry run writes to them.
    # What must hold: it is refused, and says what leads where.
    url = numbers(
        mariadb,
        "ALTER TABLE t ENGINE = MyISAM",
        "CREATE TRIGGER tr AFTER DELETE ON good FOR EACH ROW DELETE FROM t WHERE n = OLD.n",
        "CREATE VIEW seen AS SELECT * FROM t",
        "CREATE VIEW twice AS SELECT * FROM seen",
    )
    refused(url, "DELETE FROM good", ": good has a trigger, and t has the engine MyISAM$")
    refused(url, "DELETE FROM seen", ": seen is a view, and t has the engine MyISAM$")
    refused(url, "DELETE FROM twice", ": twice is a view, and seen is a view, and t has the engine MyISAM$")


def test_functions_are_looked_through(mariadb: SqlServer) -> None:
    # Given: stored functions; one deletes from a table that cannot roll back, one from a table that can.
    # What happens: a dry run calls them, in statements of every kind, and through a trigger that calls a procedure.
    # What must hold: what would last is refused, and the rest runs and is rolled back.
    url = numbers(
        mariadb,
        "ALTER TABLE t ENGINE = MyISAM",
        "CREATE FUNCTION empty_t() RETURNS INTEGER DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM t; RETURN 1; END",
        "CREATE FUNCTION empty_good() RETURNS INTEGER DETERMINISTIC MODIFIES SQL DATA "
        "BEGIN DELETE FROM good; RETURN 1; END",
        "CREATE FUNCTION outer_f() RETURNS INTEGER DETERMINISTIC MODIFIES SQL DATA RETURN empty_t()",
        "CREATE PROCEDURE empty_too() DELETE FROM t",
        "CREATE TABLE watched (n INTEGER)",
        "CREATE TRIGGER tr AFTER INSERT ON watched FOR EACH ROW CALL empty_too()",
    )
    for statement in (
        "SELECT empty_t()",
        "DO empty_t()",
        "SET @x = empty_t()",
        "UPDATE good SET n = empty_t()",
        "INSERT INTO good VALUES (empty_t())",
    ):
        refused(url, statement, ": empty_t is a function, and t has the engine MyISAM$")
    refused(url, f"SELECT `{url.database}`.outer_f()", ": outer_f is a function, and empty_t is a function, and t has")
    refused(url, "INSERT INTO watched VALUES (1)", ": watched has a trigger, and empty_too is a procedure, and t has")
    with dry(url) as connection:
        assert connection.exec_driver_sql("SELECT empty_good(), COUNT(*), IF(1, 2, 3) FROM t").scalar() == 1


def numbers(server: SqlServer, *changes: str) -> URL:
    """A database with the numbers, and a table `good` of InnoDB with a row."""
    url = server.create_database()
    values = ", ".join(f"({number})" for number in range(1, 101))
    for statement in (
        "CREATE TABLE t (n INTEGER NOT NULL PRIMARY KEY, word VARCHAR(9))",
        "CREATE TABLE good (n INTEGER NOT NULL PRIMARY KEY)",
        f"INSERT INTO t (n) VALUES {values}",
        "INSERT INTO good VALUES (1000)",
        *changes,
    ):
        write_with(url, statement)
    return url


@pytest.fixture
def sqlite_url(url: URL) -> URL:
    """The numbers in a SQLite file."""
    if databases.family(url) != "sqlite":
        pytest.skip("of SQLite")
    return url
