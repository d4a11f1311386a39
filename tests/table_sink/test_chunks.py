"""Chunks: each is written whole or not at all.

Given: rows of more than one chunk, or another session that writes to the same table.
What happens: the server says no, the run is asked to stop, or both sessions want the same rows.
What must hold: the chunks before are written, nothing of the failed chunk is, and no other session's row is lost.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from janitor import databases
from janitor.databases import Limits
from janitor.errors import Cancelled, Rejected, StatementTimeout
from janitor.runs import Run, running
from janitor.table_sink import CHUNK_ROWS, Written
from tests.fixtures import Warehouses
from tests.servers import SqlServer
from tests.table_sink.places import NOW, THEN, Place, add_foreign, places, sink, statements, stored, table


def test_filling_goes_on_if_keys_are_there(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    rows = [Place(f"DN{number}") for number in range(4 * CHUNK_ROWS)]
    there = rows[2 * CHUNK_ROWS + 5 : 3 * CHUNK_ROWS + 5]
    target.write(there[1:], THEN)
    target.write([there[0]._replace(stored_at=NOW)], THEN)
    written = target.write(rows, NOW, mostly_new=True)
    assert written == Written(inserted=3 * CHUNK_ROWS, unchanged=CHUNK_ROWS - 1, older=1)
    assert places(warehouses.mlwh) == {*rows, there[0]._replace(stored_at=NOW)} - {there[0]}


def test_a_failing_chunk_leaves_the_earlier_ones(mariadb_warehouses: Warehouses) -> None:
    rows = [Place(f"DN{number}") for number in range(CHUNK_ROWS + 10)]
    with mariadb_warehouses.mlwh.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON labware_location FOR EACH ROW "
            f"IF NEW.labware_barcode = '{rows[-1].labware_barcode}' THEN "
            "SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'not this one'; END IF"
        )
    with pytest.raises(Rejected, match="the disk or table is full at .*: not this one"):
        sink(mariadb_warehouses.mlwh_url).write(rows, NOW)
    assert places(mariadb_warehouses.mlwh) == set(rows[:CHUNK_ROWS])


def test_a_run_asked_to_stop_ends_between_chunks(warehouses: Warehouses) -> None:
    run = Run()
    rows = [Place(f"DN{number}") for number in range(CHUNK_ROWS + 1)]

    def stop(*_: Any) -> None:
        run.ask_to_stop(Cancelled("asked to stop"))

    with running(run), statements(("INSERT",), stop), pytest.raises(Cancelled):
        sink(warehouses.mlwh_url).write(rows, NOW)
    assert places(warehouses.mlwh) == set(rows[:CHUNK_ROWS])


def test_a_key_added_meanwhile_is_not_overwritten(mariadb_warehouses: Warehouses) -> None:
    added: list[str] = []

    def add(statement: str) -> None:
        if not added:
            added.append(statement)
            add_foreign(mariadb_warehouses.mlwh, Place("DN2"))
            with mariadb_warehouses.mlwh.begin() as connection:
                newer = Place("DN3", stored_at=NOW)._asdict() | {"created_at": THEN, "updated_at": THEN}
                connection.execute(insert(table(mariadb_warehouses.mlwh)), newer | {"lims_id": "LabWhere"})

    with statements(("INSERT INTO `labware_location`",), add):
        written = sink(mariadb_warehouses.mlwh_url).write([Place("DN1"), Place("DN2"), Place("DN3")], NOW)
    assert (written.inserted, written.older, [one.key for one in written.refused]) == (1, 1, ["DN2"])
    after = stored(mariadb_warehouses.mlwh)
    assert (after["DN2"]["lims_id"], after["DN3"]["stored_at"], after["DN1"]["created_at"]) == ("SQSCP", NOW, NOW)


def test_a_deadlock_is_tried_again(mariadb_warehouses: Warehouses, caplog: pytest.LogCaptureFixture) -> None:
    target, engine = sink(mariadb_warehouses.mlwh_url), mariadb_warehouses.mlwh
    target.write([Place("DN1"), Place("DN2"), *(Place(f"X{number}") for number in range(50))], THEN)
    rows = [Place("DN1", stored_by="sink", stored_at=NOW), Place("DN2", stored_by="sink", stored_at=NOW)]
    with ThreadPoolExecutor(1) as pool, engine.connect() as other:
        # The other session has changed more rows than the sink, so the server makes the sink give way.
        change(other, "LIKE 'X%%'")
        change(other, "= 'DN2'")
        written = pool.submit(target.write, rows, NOW)
        until_waiting(mariadb_warehouses.server)
        change(other, "= 'DN1'")
        other.commit()
        assert written.result() == Written(updated=2)
    assert "lost a race, attempt 1 of 5" in caplog.text
    assert places(engine) >= set(rows)


def change(connection: Connection, barcodes: str) -> None:
    connection.exec_driver_sql(f"UPDATE labware_location SET stored_by = 'other' WHERE labware_barcode {barcodes}")


def until_waiting(server: SqlServer | None) -> None:
    """Return once a session on the server waits for a row's lock."""
    assert server is not None
    for _ in range(100):
        if server.execute("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"):
            return
        # The server renews this view only if nobody has asked for a tenth of a second.
        time.sleep(0.2)
    pytest.fail("no session waits for a lock")


def test_a_lock_on_the_target_ends_in_words(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    target.write([Place("DN1"), Place("DN2")], THEN)
    databases.configure(Limits(statement_seconds=1))
    with warehouses.mlwh.connect() as other:
        if warehouses.server is None:
            other.exec_driver_sql("BEGIN IMMEDIATE")
        change(other, "= 'DN2'")
        started = time.monotonic()
        with pytest.raises(StatementTimeout, match="time limit|waited too long for a lock"):
            target.write([Place("DN1", stored_by="sink"), Place("DN2", stored_by="sink"), Place("DN3")], NOW)
        assert time.monotonic() - started < 10
        other.rollback()
    assert places(warehouses.mlwh) == {Place("DN1"), Place("DN2")}
