"""What a database driver's error means, in one sentence, and what whoever reads it should do."""

import re
import sqlite3
from collections.abc import Callable

import pymysql

from janitor.errors import JanitorError, Rejected, StatementTimeout, Unavailable

Leaf = Callable[[str], JanitorError]

# The numbers are those of the MySQL and MariaDB error references; {text} is the server's own message.
_MYSQL: dict[int, tuple[Leaf, str]] = {
    1040: (Unavailable, "{where} has no free connection: {text}"),
    1044: (Rejected, "access denied at {where}: {text}; grant that user the database"),
    1045: (Rejected, "access denied at {where}: {text}; check the user and the password in the URL"),
    1698: (Rejected, "access denied at {where}: {text}; check the user and the password in the URL"),
    1049: (Rejected, "there is no such database at {where}: {text}; check the name in the URL"),
    1020: (Unavailable, "a row changed meanwhile at {where}: {text}"),
    1048: (Rejected, "a row was refused at {where}: {text}"),
    1053: (Unavailable, "{where} is shutting down: {text}"),
    1054: (Rejected, "a column is missing at {where}: {text}; the table is not the one this task was made for"),
    1062: (Rejected, "a row was refused at {where}: {text}"),
    1264: (Rejected, "a row was refused at {where}: {text}"),
    1292: (Rejected, "a row was refused at {where}: {text}"),
    1364: (Rejected, "a row was refused at {where}: {text}"),
    1366: (Rejected, "a row was refused at {where}: {text}"),
    1406: (Rejected, "a row was refused at {where}: {text}"),
    1129: (Rejected, "access denied at {where}: {text}"),
    1130: (Rejected, "access denied at {where}: {text}; let that user connect from this host"),
    1153: (Rejected, "a statement was too long for {where}: {text}; raise the server's max_allowed_packet"),
    1203: (Unavailable, "{where} has no free connection: {text}"),
    1226: (Unavailable, "{where} has no free connection: {text}"),
    1412: (Unavailable, "a table was changed meanwhile at {where}: {text}"),
    1820: (Rejected, "access denied at {where}: {text}; set that user's password anew"),
    1862: (Rejected, "access denied at {where}: {text}; set that user's password anew"),
    1932: (Rejected, "a table is damaged at {where}: {text}; look at the server's log"),
    3118: (Rejected, "access denied at {where}: {text}; unlock that user"),
    4151: (Rejected, "access denied at {where}: {text}; unlock that user"),
    1146: (Rejected, "a table is missing at {where}: {text}; check the database's name, or create the table"),
    1142: (Rejected, "a grant is missing at {where}: {text}; the README lists the least grants"),
    1143: (Rejected, "a grant is missing at {where}: {text}; the README lists the least grants"),
    1227: (Rejected, "a grant is missing at {where}: {text}; the README lists the least grants"),
    1205: (StatementTimeout, "{where} waited too long for a lock that another session holds: {text}"),
    1213: (Unavailable, "{where} chose this transaction to end a deadlock: {text}"),
    1969: (StatementTimeout, "a statement ran over its time limit at {where} and was stopped: {text}"),
    3024: (StatementTimeout, "a statement ran over its time limit at {where} and was stopped: {text}"),
    1028: (StatementTimeout, "a statement ran over its time limit at {where} and was stopped: {text}"),
    1317: (Unavailable, "a statement was stopped by an administrator at {where}: {text}"),
    1927: (Unavailable, "the connection to {where} was ended by an administrator: {text}"),
    1021: (Rejected, "the disk is full at {where}: {text}; free some space there"),
    1114: (Rejected, "the disk or table is full at {where}: {text}; free some space there"),
    1030: (Rejected, "the storage engine failed at {where}: {text}; look at the server's disk and log"),
    3: (Rejected, "the server could not write a file at {where}: {text}; look at the server's disk"),
    1290: (Rejected, "{where} does not take writes: {text}; the server is read-only"),
    1792: (Rejected, "{where} does not take writes: {text}; this session may only read"),
    1836: (Rejected, "{where} does not take writes: {text}; the server is read-only"),
    2002: (Unavailable, "{where} cannot be reached: {text}"),
    2003: (Unavailable, "{where} cannot be reached: {text}"),
    2006: (Unavailable, "the connection to {where} was lost: {text}"),
    2013: (Unavailable, "the connection to {where} was lost: {text}"),
    4031: (Unavailable, "{where} ended a session that had been idle: {text}"),
    2026: (Rejected, "TLS with {where} failed: {text}; check the CA file and the server's certificate"),
    3159: (Rejected, "{where} takes only TLS connections: {text}; add ?ssl_ca=/path/to/ca.pem to the URL"),
}

_SQLITE: tuple[tuple[str, Leaf, str], ...] = (
    ("constraint failed", Rejected, "{where} refused a row: {text}"),
    ("no such table", Rejected, "a table is missing in {where}: {text}; check the path, or create the table"),
    ("no such column", Rejected, "a column is missing in {where}: {text}; the table is not the one this task needs"),
    ("has no column", Rejected, "a column is missing in {where}: {text}; the table is not the one this task needs"),
    ("unable to open", Rejected, "the file {where} cannot be opened: {text}; check the path and its permissions"),
    ("interrupted", StatementTimeout, "a statement ran over its time limit in {where} and was stopped"),
    ("disk is full", Rejected, "the disk is full under {where}: {text}; free some space there"),
    ("readonly", Rejected, "the file {where} cannot be written: {text}; check its permissions"),
    ("is locked", StatementTimeout, "{where} waited too long for a lock that another process holds: {text}"),
    ("not a database", Rejected, "{where} is not a SQLite database: {text}; check the path"),
    ("malformed", Rejected, "{where} is damaged: {text}; restore it from a backup"),
    ("disk I/O error", Rejected, "the disk failed under {where}: {text}"),
)


_LOST_RACES = frozenset({1020, 1062, 1213})


def lost_a_race(error: BaseException) -> bool:
    """Whether the transaction may well succeed if it is tried again at once: a deadlock, or a key just inserted."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.IntegrityError):
        return "UNIQUE" in str(cause)
    return isinstance(cause, pymysql.err.Error) and bool(cause.args) and cause.args[0] in _LOST_RACES


def translated(error: BaseException, where: str) -> JanitorError | None:
    """The sentence for a driver's error at `where`, without the statement; None for what no driver raised."""
    if isinstance(error, pymysql.err.Error):
        return _from_mysql(error, where)
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, where)
    if isinstance(error, OSError):
        return Unavailable(f"{where} cannot be reached: {error}")
    return None


def _from_mysql(error: pymysql.err.Error, where: str) -> JanitorError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = _plain(str(error.args[1] if len(error.args) > 1 else error))
    if number == 2003 and "certificate" in text.lower():
        number = 2026
    if number == 2013 and "timed out" in text:
        return StatementTimeout(f"{where} did not answer within the time limit: {text}")
    if number in _MYSQL:
        leaf, sentence = _MYSQL[number]
        return leaf(sentence.format(where=where, text=text))
    if isinstance(error, pymysql.err.InterfaceError):
        return Unavailable(f"the connection to {where} was lost: {text or 'it was closed'}")
    return Rejected(f"{where} refused a statement: {text} (error {number})")


def _from_sqlite(error: sqlite3.Error, where: str) -> JanitorError:
    text = str(error)
    for fragment, leaf, sentence in _SQLITE:
        if fragment in text:
            return leaf(sentence.format(where=where, text=text))
    return Rejected(f"{where} refused a statement: {text}")


def _plain(text: str) -> str:
    """The server's message on one line, and not longer than a line should be."""
    return re.sub(r"\s+", " ", text).strip().rstrip(".")[:300]
