"""Statements on the table of numbers."""

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.errors import JanitorError

SECRET = "pa%ss-w0rd"
ENDLESS = "SELECT COUNT(*) FROM t AS a, t AS b, t AS c, t AS d, t AS e, t AS f WHERE a.n + b.n + c.n + d.n + e.n = f.n"


def count(url: URL) -> int:
    """How many numbers there are."""
    with databases.read(url) as connection:
        return int(connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one())


def read_with(url: URL, statement: str) -> None:
    """Run a statement on a connection that can only read."""
    with databases.read(url) as connection:
        connection.exec_driver_sql(statement)


def write_with(url: URL, statement: str) -> None:
    """Run a statement in a transaction."""
    with databases.begin(url) as connection:
        connection.exec_driver_sql(statement)


def refuses(url: URL, kind: type[JanitorError], sentence: str) -> None:
    """Check that connecting fails with one line that begins so; neither it nor its causes hold the password."""
    with pytest.raises(kind) as caught:
        read_with(url, "SELECT 1")
    text = str(caught.value)
    assert text.startswith(sentence), text
    assert "\n" not in text
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error) and SECRET not in repr(error)
        error = error.__cause__
