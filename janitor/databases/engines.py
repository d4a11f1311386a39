"""Engines for the warehouses: pooled, read-only where they only read, every statement bounded, every error in words."""

import functools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.errors import translated
from janitor.errors import Rejected, StatementTimeout, Unavailable
from janitor.runs import current_run

SOCKET_SLACK_SECONDS = 2.0
"""How much longer than the server's own limit the socket waits, so that the server's answer is the one that is read."""


@dataclass(frozen=True)
class Limits:
    """How long one statement, and how long connecting, may take: seconds."""

    statement_seconds: float = 60.0
    connect_seconds: float = 10.0


_limits = Limits()


def configure(limits: Limits) -> None:
    """Set the limits for all engines made from now on, and forget the engines made before."""
    global _limits
    dispose()
    _limits = limits


def dispose() -> None:
    """Close every pooled connection and forget all engines."""
    for made in _engines:
        made.dispose()
    _engines.clear()
    _engine.cache_clear()


_engines: list[Engine] = []


@contextmanager
def read(url: URL) -> Iterator[Connection]:
    """A pooled connection that can only read; each statement sees what was committed when it began.

    Statements are stopped at the statement limit, or at the current run's deadline where that is sooner.

    Raises:
        Unavailable, Rejected, StatementTimeout: whatever the server said, as one sentence.
    """
    with _connected(_engine(url, True)) as connection:
        yield connection


@contextmanager
def begin(url: URL) -> Iterator[Connection]:
    """A pooled connection in one transaction, which commits when the block ends and rolls back when it raises.

    In a dry run it rolls back at the end too: the statements have run and been counted, and nothing is written.

    Raises:
        Unavailable, Rejected, StatementTimeout: whatever the server said, as one sentence.
    """
    with _connected(_engine(url, False)) as connection, connection.begin() as transaction:
        yield connection
        if current_run().dry_run:
            transaction.rollback()


def family(url: URL) -> str:
    """`mysql` for MySQL and MariaDB, `sqlite` for SQLite."""
    return "sqlite" if url.get_backend_name() == "sqlite" else "mysql"


def place(url: URL) -> str:
    """Where a URL leads, without its secrets: `host:port/name`, or the path of a file."""
    if family(url) == "sqlite":
        return url.database or "memory"
    return f"{url.host}:{url.port or 3306}/{url.database}"


def quoted(name: str, family: str) -> str:
    """A name as part of a statement."""
    mark = '"' if family == "sqlite" else "`"
    return mark + name.replace(mark, mark * 2) + mark


def is_mariadb(connection: "pymysql.Connection[Any]") -> bool:
    """True for MariaDB, False for MySQL."""
    return "MariaDB" in str(connection.get_server_info())  # type: ignore[no-untyped-call]


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    current_run().check()
    try:
        connection = engine.connect()
    except PoolTimeout as exc:
        raise Unavailable(f"{place(engine.url)} has no free connection in this process: {exc.args[0]}") from exc
    except OSError as exc:
        where = place(engine.url)
        raise Rejected(f"TLS with {where} cannot be set up: {exc}; check the files named in its URL") from exc
    with connection:
        yield connection


@functools.lru_cache(maxsize=None)
def _engine(url: URL, read_only: bool) -> Engine:
    engine = make_engine(url, read_only=read_only, limits=_limits)
    event.listen(engine, "before_cursor_execute", functools.partial(_bound, _limits))
    _engines.append(engine)
    return engine


def make_engine(url: URL, *, read_only: bool, limits: Limits, create: bool = False) -> Engine:
    """A new engine with its own pool; `create` lets a missing SQLite file (and its folder) be made."""
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 15}
    options["pool_timeout"] = limits.connect_seconds
    if read_only:
        options |= {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}
    if family(url) == "sqlite":
        engine = create_engine(url, connect_args={"timeout": limits.statement_seconds}, **options)
        event.listen(engine, "do_connect", functools.partial(_open_file, create))
        event.listen(engine, "connect", functools.partial(_set_up_sqlite, read_only))
        if not read_only:
            event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(url, connect_args=_mysql_arguments(limits), pool_recycle=1800, **options)
        event.listen(engine, "connect", functools.partial(_set_up_mysql, read_only, limits))
    event.listen(engine, "handle_error", functools.partial(_translate, place(url)), retval=False)
    return engine


def _mysql_arguments(limits: Limits) -> dict[str, Any]:
    bound = limits.statement_seconds + SOCKET_SLACK_SECONDS
    return {
        "connect_timeout": max(1, round(limits.connect_seconds)),
        "read_timeout": bound,
        "write_timeout": bound,
        "charset": "utf8mb4",
    }


def _set_up_mysql(read_only: bool, limits: Limits, connection: "pymysql.Connection[Any]", record: Any) -> None:
    record.info["statement_seconds"] = -1.0
    with connection.cursor() as cursor:
        access = "READ ONLY" if read_only else "READ WRITE"
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {access}")
        cursor.execute(
            "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
            f"innodb_lock_wait_timeout = {max(1, int(limits.statement_seconds))}, group_concat_max_len = {2**26}"
        )
        # A list of thousands of keys is to be looked up in the index, not made a table of or given up on.
        lists = "in_predicate_conversion_threshold" if is_mariadb(connection) else "range_optimizer_max_mem_size"
        cursor.execute(f"SET SESSION {lists} = 0")
    connection.commit()


def _open_file(create: bool, dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> Any:
    """Open the file without making it: a mistyped path is an error, not an empty database."""
    path = str(args[0])
    if path == ":memory:" or create or options.get("uri"):
        if create and path != ":memory:":
            _make_folder(Path(path).parent)
        return None
    args[0] = f"{Path(path).absolute().as_uri()}?mode=rw"
    options["uri"] = True
    return None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Rejected(f"the folder {folder} cannot be made: {exc.strerror}; check the path, or who may write") from exc


def _set_up_sqlite(read_only: bool, connection: sqlite3.Connection, record: Any) -> None:
    deadline = record.info["deadline"] = [float("inf")]
    record.info["busy_seconds"] = -1.0
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(lambda: time.monotonic() > deadline[0], 10_000)


def _begin_immediate(connection: Connection) -> None:
    # A transaction that begins by reading and then writes fails at once where another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _bound(limits: Limits, connection: Connection, *statement: Any) -> None:
    """Let the statement about to be sent outlive neither the statement limit nor the current run's deadline."""
    # A little over, so that the deadline has surely passed when the server stops the statement.
    seconds = min(limits.statement_seconds, current_run().remaining_seconds + 0.002)
    if connection.dialect.name == "sqlite":
        _bound_sqlite(connection, seconds)
        return
    # What is left of a run shrinks from statement to statement; a tenth more than that is not worth a round trip.
    if seconds <= connection.info["statement_seconds"] <= seconds * 1.1:
        return
    driver: Any = connection.connection.driver_connection
    if is_mariadb(driver):
        setting = f"SET SESSION max_statement_time = {seconds:.3f}"
    else:
        setting = f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}"
    # PyMySQL reads this at each packet; there is no public way to change it on an open connection.
    driver._read_timeout = seconds + SOCKET_SLACK_SECONDS
    try:
        with driver.cursor() as cursor:
            cursor.execute(setting)
    except pymysql.Error as exc:
        connection.invalidate(exc)
        raise translated(exc, place(connection.engine.url)) or exc from exc
    connection.info["statement_seconds"] = seconds


def _bound_sqlite(connection: Connection, seconds: float) -> None:
    info = connection.info
    info["deadline"][0] = time.monotonic() + seconds
    if not seconds <= info["busy_seconds"] <= seconds * 1.1:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {max(1, int(seconds * 1000))}")
        info["busy_seconds"] = seconds


def _translate(where: str, context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool itself replaces a connection that has died in it
    executed = context.execution_context
    if executed is not None and executed.execution_options.get("skip_user_error_events"):
        # SQLAlchemy asks whether a table exists by an error, and reads the driver's own.
        return
    error = translated(context.original_exception, where)
    run = current_run()
    if isinstance(error, StatementTimeout) and run.remaining_seconds == 0:
        run.check()
    if error is not None:
        raise error from context.original_exception
