"""Engines: one to read and one to write each database, bounded, and closed together."""

import time
from pathlib import Path

import pytest
from sqlalchemy import URL, inspect
from sqlalchemy.exc import NoSuchTableError

from janitor.databases import Limits
from janitor.databases.engines import Engines, make_engine
from janitor.databases.sqlite_sessions import make_file
from janitor.errors import DeadlineExceeded, Rejected, RowRefused, StatementTimeout, Unavailable
from janitor.runs import Run, running
from tests.databases.numbers_table import ENDLESS
from tests.servers import SqlServer


def file_in(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / "new" / "numbers.db"))


def made(folder: Path) -> URL:
    """A file with the numbers 1 to 30."""
    make_file(folder / "new" / "numbers.db")
    engine = make_engine(file_in(folder), read_only=False, limits=Limits())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO t VALUES {', '.join(f'({number})' for number in range(1, 31))}")
    engine.dispose()
    return file_in(folder)


def test_a_missing_file_is_made_only_on_demand(tmp_path: Path) -> None:
    engine = make_engine(file_in(tmp_path), read_only=False, limits=Limits())
    with pytest.raises(Rejected, match="cannot be opened"), engine.connect():
        pass
    assert list(tmp_path.iterdir()) == []
    made(tmp_path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT MAX(n) FROM t").scalar_one() == 30
    engine.dispose()


def test_each_database_has_one_engine_to_read_and_one_to_write(tmp_path: Path) -> None:
    engines, url = Engines(Limits()), made(tmp_path)
    reader, writer = engines.get(url, read_only=True), engines.get(url, read_only=False)
    assert reader is engines.get(url, read_only=True) and reader is not writer
    with pytest.raises(Rejected), reader.connect() as connection:
        connection.exec_driver_sql("DELETE FROM t")
    with writer.begin() as connection:
        assert connection.exec_driver_sql("DELETE FROM t WHERE n > 10").rowcount == 20
    engines.dispose()
    assert engines.get(url, read_only=True) is not reader
    engines.dispose()


def test_a_statement_ends_at_the_sooner_of_two_limits(tmp_path: Path) -> None:
    """Given a limit of 0.1 s, a statement ends there; if the run has less time left, the run is over."""
    engines, url = Engines(Limits(statement_seconds=0.1)), made(tmp_path)
    for run, error in ((Run(), StatementTimeout), (Run(deadline=time.monotonic() + 0.05), DeadlineExceeded)):
        with running(run), engines.get(url, read_only=True).connect() as connection, pytest.raises(error):
            connection.exec_driver_sql(ENDLESS)
    engines.dispose()


def test_an_error_is_one_sentence_with_the_place(tmp_path: Path) -> None:
    url = made(tmp_path)
    engine = make_engine(url, read_only=True, limits=Limits())
    with engine.connect() as connection, pytest.raises(Rejected, match="a table is missing in .*numbers.db: .*nowhere"):
        connection.exec_driver_sql("SELECT 'a secret' FROM nowhere")
    engine.dispose()


def test_whoever_looks_at_a_table_gets_our_errors_later(mariadb: SqlServer, mariadb_url: URL) -> None:
    # Given a connection through which SQLAlchemy has looked for tables. It asks for the driver's own errors meanwhile.
    # What must hold: a table that is missing is found missing, and each later error is one of ours.
    engine = make_engine(mariadb_url, read_only=False, limits=Limits())
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        assert not inspect(connection).has_table("missing")
        with pytest.raises(NoSuchTableError):
            inspect(connection).get_columns("missing")
        assert [column["name"] for column in inspect(connection).get_columns("t")] == ["n"]
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        with pytest.raises(RowRefused, match="^a row was refused at .*Duplicate entry"):
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        # A server that went away is told too, though it answers to a look.
        mariadb.execute(f"KILL {connection.exec_driver_sql('SELECT CONNECTION_ID()').scalar()}")
        with pytest.raises(Unavailable):
            inspect(connection).has_table("missing")
    engine.dispose()
