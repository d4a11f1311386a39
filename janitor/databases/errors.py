"""What a database driver's error means: one sentence for the reader, and an error class that says what to do next."""

import re
import sqlite3

import pymysql

from janitor.databases.mysql_error_numbers import (
    ANOTHER_SERVER,
    CERTIFICATE,
    CONNECT_FAILED,
    CONNECTION_LOST,
    DUPLICATES,
    LEAST_OWN_NUMBER,
    LOCKED,
    LOST_RACES,
    MEANINGS,
    NOT_THERE,
    TOO_LARGE,
)
from janitor.errors import JanitorError, Rejected, RowRefused, StatementTimeout, Unavailable

OF_USERS = "45"
"""How the SQLSTATE begins that only a SIGNAL gives, in a trigger or a routine."""
MOST_CHARACTERS = 300
"""How much of a server's own message stands in a sentence."""

_SQLITE: tuple[tuple[str, type[JanitorError], str], ...] = (
    ("no such table", Rejected, "a table is missing in {where}: {text}; check the path, or create the table"),
    ("no such column", Rejected, "a column is missing in {where}: {text}; this task was made for another table"),
    ("has no column", Rejected, "a column is missing in {where}: {text}; this task was made for another table"),
    ("unable to open", Rejected, "the file {where} cannot be opened: {text}; check the path and its permissions"),
    ("interrupted", StatementTimeout, "a statement ran over its time limit in {where} and was stopped"),
    ("disk is full", Rejected, "the disk is full under {where}: {text}; free some space there"),
    ("readonly", Rejected, "the file {where} cannot be written: {text}; check its permissions"),
    ("is locked", StatementTimeout, "{where} waited too long for a lock that another process holds: {text}"),
    ("not a database", Rejected, "{where} is not a SQLite database: {text}; check the path"),
    ("malformed", Rejected, "{where} is damaged: {text}; restore it from a backup"),
    ("disk I/O error", Rejected, "the disk failed under {where}: {text}"),
)
"""A piece of SQLite's message, and what it means; the first piece that is found counts."""


def lost_a_race(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed at once: after a deadlock, or if a key was inserted meanwhile."""
    return is_duplicate(error) or _number(error.__cause__) in LOST_RACES


def is_about_content(error: BaseException) -> bool:
    """Tell whether a server refused what was to be written for what it holds; it would take something else."""
    return isinstance(error, RowRefused) or _number(error.__cause__) in TOO_LARGE


def waited_for_a_lock(error: BaseException) -> bool:
    """Tell whether a statement was stopped since another session held a lock for too long: it may succeed later."""
    return _number(error.__cause__) == LOCKED or has_locked_file(error)


def has_locked_file(error: BaseException) -> bool:
    """Tell whether a transaction could not begin since another process has the SQLite file to itself."""
    return isinstance(error.__cause__, sqlite3.OperationalError) and "is locked" in str(error.__cause__)


def is_duplicate(error: BaseException) -> bool:
    """Tell whether a row was refused since a row with the same key, or another unique value, is there."""
    cause = error.__cause__
    return _number(cause) in DUPLICATES or isinstance(cause, sqlite3.IntegrityError) and "UNIQUE" in str(cause)


def _number(error: BaseException | None) -> int:
    """The server's number of a driver's error; 0 without such a number."""
    given = error.args[0] if isinstance(error, pymysql.err.Error) and error.args else 0
    return given if isinstance(given, int) else 0


def is_another_server(error: BaseException) -> bool:
    """Tell whether an open connection is of no more use, as its server stopped, or is no longer what it was."""
    return _number(error) in ANOTHER_SERVER


def is_not_there(error: BaseException) -> bool:
    """Tell whether a server says that a table, a view's table or a database is not there."""
    return _number(error) in NOT_THERE


def translated(error: BaseException, where: str) -> JanitorError | None:
    """Our error for a driver's error at `where`; None if no driver raised it.

    Its text never holds the statement.
    """
    if isinstance(error, pymysql.err.Error):
        return _from_mysql(error, where)
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, where)
    if isinstance(error, OSError):
        return Unavailable(f"{where} cannot be reached: {error}")
    return None


def _from_mysql(error: pymysql.err.Error, where: str) -> JanitorError:
    number = _number(error) % 2**16  # the driver takes a number above 32,767 for a negative number
    text = _one_line(str(error.args[1] if len(error.args) > 1 else error))
    if number == CONNECTION_LOST and "timed out" in text:
        return StatementTimeout(f"{where} did not answer within the time limit: {text}")
    if number == CONNECT_FAILED and "certificate" in text.lower():
        number = CERTIFICATE
    if number >= LEAST_OWN_NUMBER or str(getattr(error, "sqlstate", "")).startswith(OF_USERS):
        return RowRefused(f"a row was refused at {where}: {text}")
    if number in MEANINGS:
        leaf, sentence = MEANINGS[number]
        return leaf(sentence.format(where=where, text=text))
    if isinstance(error, pymysql.err.InterfaceError):
        return Unavailable(f"the connection to {where} was lost: {text or 'it was closed'}")
    return Rejected(f"{where} refused a statement: {text} (error {number})")


def _from_sqlite(error: sqlite3.Error, where: str) -> JanitorError:
    text = str(error)
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.DataError)):
        return RowRefused(f"{where} refused a row: {text}")
    for piece, leaf, sentence in _SQLITE:
        if piece in text:
            return leaf(sentence.format(where=where, text=text))
    return Rejected(f"{where} refused a statement: {text}")


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(".")[:MOST_CHARACTERS]
