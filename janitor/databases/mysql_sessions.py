"""Sessions with MySQL and MariaDB: how they are opened, set up and bounded.

A statement has two limits. The server stops it after so many seconds and says so. If the server hangs and says
nothing, the socket's timeout ends the wait a little later.
"""

import math
from collections.abc import Mapping
from typing import Any

import pymysql
import pymysql.cursors
from sqlalchemy import Connection

from janitor.databases.errors import translated
from janitor.databases.limits import Limits
from janitor.databases.mysql_error_numbers import STATEMENT_TOO_LONG
from janitor.databases.mysql_tls import tls_arguments
from janitor.databases.places import place
from janitor.databases.pymysql_private import LightConnection, limit_reading

SOCKET_SLACK_SECONDS = 2.0
"""How much longer the socket waits than the server's own limit, so that the server's answer can still arrive."""

_ZONE_AND_MODE = (
    "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
    "innodb_lock_wait_timeout = {lock_seconds}, group_concat_max_len = {text_bytes}"
)
_LONGEST_TEXT_BYTES = 2**26


def is_mariadb(connection: "pymysql.Connection[Any]") -> bool:
    """Tell MariaDB (True) from MySQL (False)."""
    return "MariaDB" in str(connection.get_server_info())  # type: ignore[no-untyped-call]


class BoundedCursor(pymysql.cursors.Cursor):
    """A cursor that refuses a statement which is too long for the server, in the server's words.

    The server would close the connection in the middle of it. That looks as if it had gone away.
    """

    def execute(self, query: Any, args: Any = None) -> int:
        """Put the values into a statement, and send it."""
        text: Any = self.mogrify(query, args)
        most = self.connection.max_allowed_packet
        if len(text) * 4 >= most and 1 + (len(text) if text.isascii() else len(_encoded(text))) > most:
            raise pymysql.err.OperationalError(STATEMENT_TOO_LONG, f"its limit is {most:,} bytes, max_allowed_packet")
        return super().execute(text)

    def executemany(self, query: Any, args: Any) -> int | None:
        """Send a statement for many rows: PyMySQL joins INSERTs, up to this length in bytes."""
        cursor: Any = self
        cursor.max_stmt_length = min(self.max_stmt_length, self.connection.max_allowed_packet - 1)
        return super().executemany(query, args)


def _encoded(text: str | bytes | bytearray) -> bytes | bytearray:
    return text if isinstance(text, bytes | bytearray) else text.encode("utf-8", "surrogateescape")


def connect_arguments(limits: Limits, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give PyMySQL's arguments for a new connection; the options of a URL may make a limit shorter."""
    socket_seconds = limits.statement_seconds + SOCKET_SLACK_SECONDS
    return {
        "connect_timeout": max(1, round(min(limits.connect_seconds, options.get("connect_timeout", math.inf)))),
        "read_timeout": min(socket_seconds, options.get("read_timeout", math.inf)),
        "write_timeout": min(socket_seconds, options.get("write_timeout", math.inf)),
        "charset": "utf8mb4",
        "cursorclass": BoundedCursor,
        **({"unix_socket": options["unix_socket"]} if "unix_socket" in options else {}),
        "autocommit": False,
    }


def ask_for_tls(options: Mapping[str, Any], dialect: Any, record: Any, args: list[Any], arguments: Any) -> None:
    """Add what the options of a URL say of TLS to the arguments of a new connection.

    Its files are read anew for each connection, so that a new certificate needs no restart.
    """
    arguments.update(tls_arguments(options))
    record.info["read_seconds"] = options.get("read_timeout", math.inf)


def encode_password(dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> None:
    """Send the password as the server keeps it, in UTF-8. PyMySQL knows only the letters of latin1."""
    password = options.get("password")
    if isinstance(password, str) and not password.isascii():
        options["password"] = password.encode()


def connect(dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> LightConnection:
    """Open a new connection."""
    return LightConnection(*args, **options)


def set_up_session(read_only: bool, limits: Limits, connection: "pymysql.Connection[Any]", record: Any) -> None:
    """Make a new session READ COMMITTED, strict, in UTC, and read-only if told so; note which server it is with."""
    record.info["statement_seconds"] = -1.0
    access = "READ ONLY" if read_only else "READ WRITE"
    lock_seconds = max(1, int(limits.statement_seconds))
    # The server must look up a list of thousands of keys in the index. Without this it makes a table of the list,
    # or gives the index up.
    lists = "in_predicate_conversion_threshold" if is_mariadb(connection) else "range_optimizer_max_mem_size"
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {access}")
        cursor.execute(_ZONE_AND_MODE.format(lock_seconds=lock_seconds, text_bytes=_LONGEST_TEXT_BYTES))
        cursor.execute(f"SET SESSION {lists} = 0")
        cursor.execute("SELECT @@max_allowed_packet, @@hostname, @@port, @@server_id")
        packet, *server = cursor.fetchone()
        connection.max_allowed_packet, record.info["server"] = int(packet), tuple(server)
    if not read_only:
        connection.autocommit(False)  # whatever the URL and the server say
    connection.commit()


def limit_next_statement(connection: Connection, seconds: float) -> None:
    """Let the next statement of a session take this many seconds at most; up to a tenth more if that saves a call."""
    # What is left of a run shrinks from statement to statement. A new limit for each would cost a round trip each.
    if seconds <= connection.info["statement_seconds"] <= seconds * 1.1:
        return
    driver: Any = connection.connection.driver_connection
    limit_reading(driver, min(seconds + SOCKET_SLACK_SECONDS, connection.info["read_seconds"]))
    try:
        with driver.cursor() as cursor:
            cursor.execute(_statement_limit(driver, seconds))
    except pymysql.Error as exc:
        connection.invalidate(exc)
        raise translated(exc, place(connection.engine.url)) or exc from exc
    connection.info["statement_seconds"] = seconds


def _statement_limit(driver: "pymysql.Connection[Any]", seconds: float) -> str:
    if is_mariadb(driver):
        return f"SET SESSION max_statement_time = {seconds:.3f}"
    return f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}"
