"""Sessions with SQLite files: how they are opened, set up and bounded."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DisconnectionError

from janitor.errors import Rejected

STEPS_BETWEEN_LOOKS = 10_000
"""How many steps of its machine SQLite makes before it looks at the clock."""
CACHE_KB = 256
"""So much of its file each connection keeps in memory. The system has the file in memory too, and a daemon may have 17
connections: with SQLite's own 2,000 they grew with the files, to more than 18 MB."""
SPILL_PAGES = 500
"""So many pages a transaction may change before SQLite writes some of them out, as many as by default."""

Inode = tuple[int, int]
"""Which file a path leads to: the device and the number of its inode. A file keeps both until it is deleted."""


def open_file(dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> Any:
    """Open the file only if it is there: a mistyped path is an error, not an empty database."""
    path = str(args[0])
    if path == ":memory:" or options.get("uri"):
        return None
    args[0] = f"{Path(path).absolute().as_uri()}?mode=rw"
    options["uri"] = True
    return None


def make_file(path: Path) -> None:
    """Make an empty database, and its folder, if there is no file at a path.

    Raises:
        Rejected: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Rejected(
            f"the folder {path.parent} cannot be made: {exc.strerror}; check the path, or who may write"
        ) from exc
    try:
        path.touch(mode=0o644)
    except OSError as exc:
        raise Rejected(f"the file {path} cannot be made: {exc.strerror}; check the path, or who may write") from exc


def set_up_session(read_only: bool, connection: sqlite3.Connection, record: Any) -> None:
    """Make a new session check foreign keys, stop at its deadline, and be read-only if told so."""
    deadline = record.info["deadline"] = [float("inf")]
    record.info["busy_seconds"] = -1.0
    if hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL"):
        setattr(connection, "autocommit", sqlite3.LEGACY_TRANSACTION_CONTROL)  # whatever the URL says
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    connection.execute(f"PRAGMA cache_spill = {SPILL_PAGES}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    path = record.info["path"] = next((row[2] for row in connection.execute("PRAGMA database_list")), "")
    record.info["file"] = inode_of(path)
    connection.set_progress_handler(lambda: time.monotonic() > deadline[0], STEPS_BETWEEN_LOOKS)


def sort_beside(path: Path, connection: Connection) -> None:
    """Let SQLite keep what it sorts for a large index in the folder of the file, for the rest of this process.

    Else it takes the first of several folders that may be written. In a container that may be a small one in memory.
    The administrator may name another in the environment, in SQLITE_TMPDIR.
    """
    driver: Any = connection.connection.driver_connection
    folder = str(path.absolute().parent)
    quoted = folder.replace("'", "''")
    if not os.environ.get("SQLITE_TMPDIR") and driver.execute("PRAGMA temp_store_directory").fetchone() != (folder,):
        driver.execute(f"PRAGMA temp_store_directory = '{quoted}'")


def leave_replaced_file(connection: Any, record: Any, proxy: Any) -> None:
    """Let the pool open a new connection if another file has come in the place of the file that is open."""
    if record.info["path"] and inode_of(record.info["path"]) != record.info["file"]:
        raise DisconnectionError(f"{record.info['path']} was replaced")


def inode_of(path: Path | str) -> Inode | None:
    """The inode of the file that a path leads to; None if there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def begin_immediate(connection: Connection) -> None:
    """Begin a transaction by locking the file for writing."""
    # A transaction that reads first and writes later fails at once if another transaction wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def limit_next_statement(connection: Connection, seconds: float) -> None:
    """Let the next statement of a session take this many seconds at most, and wait no longer for a lock."""
    info = connection.info
    info["deadline"][0] = time.monotonic() + seconds
    if not seconds <= info["busy_seconds"] <= seconds * 1.1:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {max(1, int(seconds * 1000))}")
        info["busy_seconds"] = seconds
