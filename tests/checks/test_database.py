"""Whether a database has what the jobs need; nothing in it changes."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine

from janitor import databases
from janitor.checks import database
from janitor.checks.database import of_database
from janitor.errors import Rejected
from janitor.needs import DatabaseNeed
from janitor.settings import Settings
from janitor.table_sink import TableSink
from tests.servers import MariaDB, running

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


def execute(path: Path, *statements: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


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


def test_the_sink_that_a_run_will_use_is_asked(lab: Path) -> None:
    def sink(url: URL) -> TableSink:
        return TableSink(url, "tubes", "id", ("id", "place"))

    need = DatabaseNeed("LAB_DATABASE_URL", writes={"tubes": ("id", "place")}, uses=(sink,))
    assert found(lab, need)[2:] == ["WRONG LAB_DATABASE_URL: tubes at lab has no unique index on id alone; create one"]
    execute(lab, "CREATE UNIQUE INDEX by_id ON tubes (id)", "CREATE UNIQUE INDEX by_place ON tubes (place)")
    assert found(lab, need)[2:] == [
        "note LAB_DATABASE_URL: tubes at lab: rows that a constraint refuses go to quarantine (unique place)"
    ]
    execute(lab, "ALTER TABLE tubes RENAME TO others", "CREATE VIEW tubes AS SELECT * FROM others")
    assert found(lab, need)[-1].startswith("WRONG LAB_DATABASE_URL: ") and "view" in found(lab, need)[-1]
    execute(lab, "DROP VIEW tubes", "ALTER TABLE others RENAME TO tubes")


def test_ids_that_are_no_whole_numbers_are_wrong(lab: Path) -> None:
    need = DatabaseNeed(
        "LAB_DATABASE_URL",
        reads={"tubes": ("id", "barcode"), "shelves": ("id",)},
        whole_numbers={"tubes": ("ID", "barcode"), "shelves": ("id",)},
    )
    wrong = [text for text in found(lab, need) if text.startswith("WRONG")]
    assert wrong == [
        "WRONG LAB_DATABASE_URL: table tubes at lab: barcode is TEXT, and this job needs whole numbers there"
    ]


@pytest.mark.slow
def test_a_server_that_refuses_every_write_is_wrong() -> None:
    # Given a server that logs statements for its replicas.
    # What happens: it is checked, and a sink writes there.
    # What must hold: the check says what to do, and so does the failed write; after it is done, both are well.
    need = DatabaseNeed("LAB_DATABASE_URL", writes={"t": ("k",)})
    with running(MariaDB("--log-bin", "--binlog-format=STATEMENT", "--server-id=1")) as server:
        url = server.create_database()
        server.execute(f"CREATE TABLE `{url.database}`.t (k int PRIMARY KEY)")
        settings = Settings.load({"LAB_DATABASE_URL": url.render_as_string(hide_password=False)}, None)
        first, *_ = [one.text for one in of_database(settings, need, "sync") if one.verdict == "WRONG"]
        assert first.endswith("binlog_format is STATEMENT, so each write is refused: set it to MIXED or ROW there")
        target = TableSink(url, "t", "k", ("k",))
        with pytest.raises(Rejected, match="does not take writes: .*; set binlog_format to MIXED or ROW there"):
            target.write([(1,)], datetime(2026, 7, 1))
        databases.dispose()
        server.execute("SET GLOBAL binlog_format = MIXED")
        assert not [one for one in of_database(settings, need, "sync") if one.verdict == "WRONG"]
        assert target.write([(1,)], datetime(2026, 7, 1)).inserted == 1
        databases.dispose()
