"""Databases with a table of numbers, or of words, and short limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from janitor import databases
from janitor.databases import Limits
from janitor.databases.engines import make_engine
from janitor.databases.sqlite_sessions import make_file
from tests.databases.words import TABLE


@pytest.fixture(autouse=True)
def short_limits() -> Iterator[None]:
    databases.configure(Limits(statement_seconds=20, connect_seconds=3))
    yield
    databases.configure(Limits())


@pytest.fixture
def url(database_url: URL) -> URL:
    """A database with a table of the numbers 1 to 100."""
    if database_url.get_backend_name() == "sqlite":
        make_file(Path(str(database_url.database)))
    engine = make_engine(database_url, read_only=False, limits=Limits())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER NOT NULL PRIMARY KEY, word VARCHAR(9))")
        numbers = ", ".join(f"({number})" for number in range(1, 101))
        connection.exec_driver_sql(f"INSERT INTO t (n) VALUES {numbers}")
    engine.dispose()
    return database_url


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    """An engine for a database with a table of words."""
    if database_url.get_backend_name() == "sqlite":
        Path(str(database_url.database)).touch()
    made = make_engine(database_url, read_only=False, limits=Limits(10, 5))
    TABLE.metadata.create_all(made)
    yield made
    made.dispose()
