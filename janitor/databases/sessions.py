"""How a connection is opened, set up and bounded, for MySQL, MariaDB and SQLite."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import Connection

from janitor.databases.errors import translated
from janitor.databases.places import place
from janitor.errors import Rejected
from janitor.runs import current_run

SOCKET_SLACK_SECONDS = 2.0
"""How much longer than the server's own limit the socket waits, so that the server's answer is the one that is read."""


@dataclass(frozen=True)
class Limits:
    """How long one statement, and how long connecting, may take: seconds."""

    statement_seconds: float = 60.0
    connect_seconds: float = 10.0


def is_mariadb(connection: "pymysql.Connection[Any]") -> bool:
    """True for MariaDB, False for MySQL."""
    return "MariaDB" in str(connection.get_server_info())  # type: ignore[no-untyped-call]


def mysql_arguments(limits: Limits) -> dict[str, Any]:
    bound = limits.statement_seconds + SOCKET_SLACK_SECONDS
    return {
        "connect_timeout": max(1, round(limits.connect_seconds)),
        "read_timeout": bound,
        "write_timeout": bound,
        "charset": "utf8mb4",
    }


def set_up_mysql(read_only: bool, limits: Limits, connection: "pymysql.Connection[Any]", record: Any) -> None:
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


def open_file(create: bool, dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> Any:
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


def set_up_sqlite(read_only: bool, connection: sqlite3.Connection, record: Any) -> None:
    deadline = record.info["deadline"] = [float("inf")]
    record.info["busy_seconds"] = -1.0
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(lambda: time.monotonic() > deadline[0], 10_000)


def begin_immediate(connection: Connection) -> None:
    # A transaction that begins by reading and then writes fails at once where another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def bound(limits: Limits, connection: Connection, *statement: Any) -> None:
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
