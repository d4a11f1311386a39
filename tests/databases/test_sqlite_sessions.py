"""SQLite files: opened only if they are there, whatever their names."""

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text

from janitor import databases
from janitor.databases import Limits
from janitor.databases.engines import make_engine
from janitor.databases.sqlite_sessions import make_file, sort_beside
from janitor.errors import Rejected
from tests.databases.numbers_table import count


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(Rejected, match=f"^the file {missing} cannot be opened: .*; check the path"):
        count(make_url(f"sqlite:///{missing}"))
    assert not missing.exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(Rejected, match=f"^{broken} is not a SQLite database: "):
        count(make_url(f"sqlite:///{broken}"))


def test_a_path_may_hold_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20é.db"
    url = URL.create("sqlite", database=str(path))
    make_file(path)
    engine = make_engine(url, read_only=False, limits=Limits())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    engine.dispose()
    assert count(url) == 0
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_session_keeps_little_of_its_file(tmp_path: Path, read_only: bool) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "some.db"))
    make_file(tmp_path / "some.db")
    engine = make_engine(url, read_only=read_only, limits=Limits())
    with engine.connect() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("cache_size", "cache_spill")]
    engine.dispose()
    assert found == [-256, 500]


def test_what_is_sorted_lies_beside_the_file(tmp_path: Path) -> None:
    # Given a table of which an index is made that is too large for memory. What must hold: what SQLite sorts is in the
    # folder of the file, which has the room for it; the system's own folder may be small.
    path, found, over = tmp_path / "it's.db", set[Path](), threading.Event()
    make_file(path)

    def look() -> None:
        while not over.is_set():
            for one in os.listdir("/proc/self/fd"):
                with suppress(OSError):
                    found.add(Path(os.readlink(f"/proc/self/fd/{one}")))

    watcher = threading.Thread(target=look, daemon=True)
    engine = make_engine(URL.create("sqlite", database=str(path)), read_only=False, limits=Limits())
    with engine.connect() as connection:
        sort_beside(path, connection)
        connection.exec_driver_sql("CREATE TABLE t (n TEXT)")
        connection.exec_driver_sql(
            "WITH RECURSIVE t2(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t2 WHERE n < 60000) "
            "INSERT INTO t SELECT 'one of many long texts that are to be sorted ' || n FROM t2"
        )
        watcher.start()
        connection.exec_driver_sql("CREATE INDEX sorted ON t (n)")
        over.set()
    watcher.join()
    engine.dispose()
    assert {one.parent for one in found if "etilqs" in one.name} == {tmp_path}


def test_a_transaction_that_may_write_has_the_file_from_its_beginning(tmp_path: Path) -> None:
    # Given: a transaction that has only read so far. What happens: another process wants to write.
    # What must hold: it waits. Else one of the two would fail when it writes after what it has read.
    url = URL.create("sqlite", database=str(tmp_path / "some.db"))
    make_file(tmp_path / "some.db")
    with closing(sqlite3.connect(tmp_path / "some.db", timeout=0, isolation_level=None)) as other:
        with databases.begin(url) as connection:
            connection.exec_driver_sql("SELECT 1").scalar_one()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        with databases.read(url):
            other.execute("BEGIN IMMEDIATE")
    databases.dispose()
