"""What the demo shows of Janitor's work: each thing once, read from where it went."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from sqlalchemy import URL, delete, insert

from janitor import databases
from janitor.demo.watch import Watch, place
from janitor.state import State, quarantine, tables
from janitor.state.quarantine import Quarantined
from janitor.state.tables import runs
from tests.fixtures import NOW, Warehouses

SCHEMA: Any = {
    "type": "record",
    "name": "Told",
    "fields": [
        {"name": name, "type": kind}
        for name, kind in (("at", "string"), ("run", "int"), ("study", "string"), ("sample", "string"))
    ]
    + [{"name": "labware", "type": "string"}, {"name": "status", "type": "int"}],
}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Give a state database without tables."""
    made = State(URL.create("sqlite", database=str(tmp_path / "state.db")))
    yield made
    made.close()


@pytest.fixture
def watch(sqlite_warehouses: Warehouses, state: State, tmp_path: Path) -> Iterator[Watch]:
    """Give a watch that has looked at nothing."""
    (tmp_path / "messages").mkdir()
    yield Watch(
        sqlite_warehouses.mlwh_url, URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path / "messages"
    )
    databases.dispose()


def stand(warehouses: Warehouses, barcode: str, name: str) -> None:
    """Write a row of the table of locations."""
    values = f"'{barcode}', 'lw-1', 'Room 1', '{name}', 'LabWhere', 'ab1'"
    columns = "labware_barcode, location_barcode, full_location_address, location_name, lims_id, stored_by"
    moments = ", '2026-07-01', '2026-07-01', '2026-07-01'"
    with warehouses.mlwh.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO labware_location ({columns}, stored_at, created_at, updated_at) VALUES ({values}{moments})"
        )


def test_new_and_changed_rows_are_told_the_first_two_by_name(watch: Watch, sqlite_warehouses: Warehouses) -> None:
    assert watch.news() == []
    for number in range(4):
        stand(sqlite_warehouses, f"DN{number}", "Shelf 1")
    assert watch.news() == [
        "synced: DN0 is in Room 1 / Shelf 1",
        "synced: DN1 is in Room 1 / Shelf 1",
        "synced: and 2 more rows written",
    ]
    with sqlite_warehouses.mlwh.begin() as connection:
        connection.exec_driver_sql("UPDATE labware_location SET location_name = 'Box 7' WHERE labware_barcode = 'DN2'")
    assert watch.news() == ["synced: DN2 is in Room 1 / Box 7"] and watch.news() == []
    assert watch.written == 5


def test_messages_are_counted_by_run_and_status(watch: Watch, tmp_path: Path) -> None:
    for name, statuses in (("a", [1, 1]), ("b", [2, 3, 3])):
        told = [{"at": "", "run": 7, "study": "", "sample": "", "labware": "DN1", "status": one} for one in statuses]
        with (tmp_path / "messages" / f"{name}.avro").open("wb") as file:
            fastavro.writer(file, SCHEMA, told)
    first, second, rest = watch.news()
    assert first.startswith("published: run 7 ") and first.endswith("2 messages") and second.endswith("1 message")
    assert rest == "published: 2 messages of 1 more status"
    assert watch.messages.total() == 5 and watch.news() == []


def test_what_waits_and_what_is_delivered_is_told(watch: Watch, state: State) -> None:
    assert watch.news() == [] and watch.outcomes() == {}, "the daemon has made no tables yet"
    state.migrate()
    with state.begin() as connection:
        quarantine.put(connection, "copy", [Quarantined("DN1", "DN1 has no place")], NOW, 1)
    assert watch.news() == ["quarantine: DN1 has no place"] and watch.news() == []
    with state.begin() as connection:
        connection.execute(delete(tables.quarantine))
    assert watch.news() == ["out of quarantine, delivered: DN1 (copy)"]


def test_runs_that_did_not_end_well_are_told_and_all_counted(watch: Watch, state: State) -> None:
    state.migrate()
    for outcome, reason in (("succeeded", None), ("failed", "the disk is full"), (None, None)):
        ran(state, outcome, reason, NOW)
    assert watch.news() == ["run 2 of copy failed: the disk is full"] and watch.news() == []
    assert watch.outcomes() == {"copy": {"failed": 1, "succeeded": 1}}


def ran(state: State, outcome: str | None, reason: str | None, at: datetime) -> None:
    """Put a run into the history; without an outcome it goes on."""
    values = {"job": "copy", "origin": "schedule", "slots": 1, "attempts": 1, "dry_run": False, "holder": "here"}
    with state.begin() as connection:
        connection.execute(insert(runs).values(**values, started_at=at, outcome=outcome, reason=reason))


def test_a_place_in_a_box_has_its_row_and_column() -> None:
    assert place(("lw-1", "Room 1", "Box 7", 14, 2, 5, "ab1", "")) == "Room 1 / Box 7, row 2, column 5"
    assert place(("lw-1", "", "Shelf 1", None, None, None, "ab1", "")) == "Shelf 1"
