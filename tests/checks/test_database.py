"""Whether a database has what the jobs need; nothing in it changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from janitor import databases
from janitor.checks import database
from janitor.checks.database import of_database
from janitor.needs import DatabaseNeed
from janitor.settings import Settings

NEED = DatabaseNeed(
    "LAB_DATABASE_URL",
    reads={"tubes": ("id", "barcode")},
    writes={"shelves": ("id",), "tubes": ("barcode", "place")},
    deletes={"shelves": "RABBITMQ_TLS"},
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A file with the tables `tubes` and `shelves`, each with a row."""
    path = tmp_path / "lab.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE tubes (id INTEGER, barcode TEXT, place TEXT)")
        connection.exec_driver_sql("CREATE TABLE shelves (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO tubes VALUES (1, 'DN1', 'a')")
        connection.exec_driver_sql("INSERT INTO shelves VALUES (7)")
    yield path
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM tubes").all() == [(1, "DN1", "a")]
    engine.dispose()
    databases.dispose()


def found(path: Path, need: DatabaseNeed = NEED, **more: str) -> list[str]:
    """What is found, each with its verdict and without the place of the file."""
    settings = Settings.load({"LAB_DATABASE_URL": f"sqlite:///{path}"} | more, None)
    texts = [f"{one.verdict} {one.text}" for one in of_database(settings, need, "sync")]
    return [
        text.removeprefix("ok ").replace(f"LAB_DATABASE_URL: {path}", "lab").replace(str(path), "lab") for text in texts
    ]


def test_each_table_is_told_with_what_the_user_may_do(lab: Path) -> None:
    server, tubes, shelves = found(lab, RABBITMQ_TLS="true")
    assert server.startswith("lab: connected, SQLite 3.") and server.endswith(" (sync)")
    assert tubes == "LAB_DATABASE_URL: table tubes at lab: 3 columns; the user may read, insert, update"
    assert shelves == "LAB_DATABASE_URL: table shelves at lab: 1 columns; the user may read, insert, update, delete"


def test_delete_is_looked_at_only_if_its_setting_is_on(lab: Path) -> None:
    assert found(lab)[2].endswith("the user may read, insert, update")


def test_missing_columns_are_named_together(lab: Path) -> None:
    need = DatabaseNeed("LAB_DATABASE_URL", reads={"tubes": ("id", "colour", "ID", "size"), "shelves": ("width",)})
    assert found(lab, need)[1:] == [
        "WRONG LAB_DATABASE_URL: table tubes at lab has no columns colour, size: "
        "check that it is the right database, or add the columns",
        "WRONG LAB_DATABASE_URL: table shelves at lab has no column width: "
        "check that it is the right database, or add the column",
    ]


def test_a_table_that_is_not_there_is_wrong_the_next_is_ok(lab: Path) -> None:
    need = DatabaseNeed("LAB_DATABASE_URL", reads={"racks": ("id",), "shelves": ("id",)})
    _, racks, shelves = found(lab, need)
    assert racks.startswith("WRONG LAB_DATABASE_URL: a table is missing") and "racks" in racks
    assert shelves.endswith("the user may read")


def test_a_database_that_is_not_there_is_one_finding(tmp_path: Path) -> None:
    (only,) = found(tmp_path / "none.db")
    assert only.startswith("WRONG LAB_DATABASE_URL: the file lab cannot be opened")
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_too_old_is_wrong(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(database.OLDEST, "SQLite", (99, 1))
    server = found(lab)[0]
    assert server.startswith("WRONG lab is SQLite 3.") and server.endswith(": Janitor needs SQLite 99.1 or later")
