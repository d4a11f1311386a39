"""labware_location, reconcile: what no audit announces is found, counted and repaired."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from janitor.databases import load_limit
from janitor.state import quarantine
from janitor.tasks.labware_location import follow, reconcile, rows
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.rows import Tables

COUNTED = ("checked", "missing", "different", "orphaned", "repaired")


def counted(daemon: Daemon, dry_run: bool = False) -> dict[str, int]:
    """What a reconcile reports."""
    counts = daemon.counts(reconcile, "labware_location_reconcile", dry_run)
    return {name: counts[name] for name in COUNTED}


def spoil(lab: LabWhere, warehouses: Warehouses) -> None:
    """Make all the mistakes that no audit tells of: 3 rows missing, 2 + those in a renamed box different, 1 orphan."""
    target = Tables(warehouses.mlwh)
    held = sorted(stored(warehouses.mlwh))
    for barcode in held[:3]:
        target.remove("labware_location", labware_barcode=barcode)
    target.change("labware_location", {"labware_barcode": held[3]}, location_name="by hand")
    target.change("labware_location", {"labware_barcode": held[4]}, coordinate_row=99, stored_by="nobody")
    lab.remove("labwares", barcode=held[5])


def test_reconcile_repairs_what_nobody_announced(warehouses: Warehouses, daemon: Daemon) -> None:
    warehouses.fill(labwares=250, runs=0)
    lab = LabWhere(warehouses.labwhere)
    daemon.run(follow)
    whole = counted(daemon)
    assert whole == {"checked": 250, "missing": 0, "different": 0, "orphaned": 0, "repaired": 0}
    spoil(lab, warehouses)
    lab.change("locations", {"name": "Box 00001"}, parentage="Another building / Room 9")
    wanted = expected(warehouses.labwhere).rows
    boxed = {barcode for barcode, row in wanted.items() if row["full_location_address"] == "Another building / Room 9"}
    different = len(boxed - set(sorted(stored(warehouses.mlwh) | wanted)[:6])) + 2
    assert len(boxed) > 20
    spoiled = stored(warehouses.mlwh)
    dry = counted(daemon, dry_run=True)
    assert stored(warehouses.mlwh) == spoiled
    assert dry["repaired"] == 0
    real = counted(daemon)
    assert real["repaired"] == real["missing"] + real["different"] == 3 + real["different"]
    assert dry == real | {"repaired": 0} and real["orphaned"] == 1 and real["checked"] == 249
    assert different - 2 <= real["different"] <= different + 6
    orphans = set(stored(warehouses.mlwh)) - set(wanted)
    assert len(orphans) == 1
    assert {barcode: row for barcode, row in stored(warehouses.mlwh).items() if barcode not in orphans} == wanted
    assert counted(daemon) == whole | {"checked": 249, "orphaned": 1}


def test_orphans_are_deleted_only_if_that_is_set(lab: LabWhere, warehouses: Warehouses, state_folder: Path) -> None:
    user, shelf = lab.user(), lab.location()
    for n in range(6):
        lab.scan(lab.labware(f"DN{n}"), user, shelf)
    texts = {"location_barcode": "x", "full_location_address": "x", "location_name": "x", "stored_by": "x"}
    moments = dict.fromkeys(("stored_at", "created_at", "updated_at"), datetime(2026, 1, 1))
    # The barcode with a separator is looked at singly, as no text of its row can be compared.
    for barcode, owner in (("THEIRS", "Other"), ("ODD\x1f", "LabWhere")):
        Tables(warehouses.mlwh).add("labware_location", labware_barcode=barcode, lims_id=owner, **texts, **moments)
    for wanted in ("false", "true"):
        environment = warehouses.environment() | {"LABWARE_LOCATION_DELETE_ORPHANS": wanted}
        daemon = Daemon(environment, state_folder)
        daemon.run(follow)
        lab.remove("labwares", barcode="DN1")
        lab.remove("labwares", barcode="DN4")
        lab.audit("Labware", 2, user)
        daemon.run(follow)
        assert {"DN1", "DN4", "ODD\x1f"} <= set(stored(warehouses.mlwh))
        dry = daemon.counts(reconcile, dry_run=True)
        assert (dry["orphaned"], dry["deleted"]) == (3, 0) and "DN1" in stored(warehouses.mlwh)
        counts = daemon.counts(reconcile)
        assert (counts["orphaned"], counts["deleted"]) == (3, 3 if wanted == "true" else 0)
        daemon.close()
    assert set(stored(warehouses.mlwh)) == {"DN0", "DN2", "DN3", "DN5", "THEIRS"}


def test_reconcile_looks_at_what_waits_in_quarantine(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    # Given: two labwares that stand nowhere. What happens: one of them is removed, and no audit tells.
    # What must hold: reconcile alone takes it out of quarantine; the other stays there.
    user = lab.user()
    for barcode in ("GONE", "LOST"):
        lab.scan(lab.labware(barcode), user)
    assert daemon.counts(follow)["quarantined"] == 2
    lab.remove("labwares", barcode="GONE")
    assert daemon.counts(reconcile)["quarantined"] == 1
    with daemon.state.begin() as connection:
        assert [row.key for row in quarantine.listing(connection, "labware_location")] == ["LOST"]


def test_a_row_whose_labware_came_back_is_not_deleted(sqlite_warehouses: Warehouses, state_folder: Path) -> None:
    # Given: two rows without a labware, and that they may be deleted. What happens: reconcile finds them; before it has
    # taken the lease under which it deletes, one labware is there again. What must hold: only the other row goes.
    lab = LabWhere(sqlite_warehouses.labwhere)
    user, shelf = lab.user(), lab.location()
    for n in range(3):
        lab.scan(lab.labware(f"DN{n}"), user, shelf)
    daemon = Daemon(sqlite_warehouses.environment() | {"LABWARE_LOCATION_DELETE_ORPHANS": "true"}, state_folder)
    daemon.run(follow)
    for barcode in ("DN1", "DN2"):
        lab.remove("labwares", barcode=barcode)
    looked, came_back = list[str](), list[int]()

    def come_back(connection: Connection, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "barcode IN" in statement and "DN1" in str(parameters):
            looked.append(statement)
        elif looked and not came_back and statement.startswith("SELECT leases"):
            came_back.append(lab.labware("DN1", shelf))

    event.listen(Engine, "before_cursor_execute", come_back)
    counts = daemon.counts(reconcile)
    event.remove(Engine, "before_cursor_execute", come_back)
    assert (counts["orphaned"], counts["deleted"], len(came_back)) == (2, 1, 1)
    assert set(stored(sqlite_warehouses.mlwh)) == {"DN0", "DN1"}
    daemon.close()


def test_reconcile_walks_in_pages(warehouses: Warehouses, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 11)
    warehouses.fill(labwares=110, runs=0)
    assert counted(daemon)["checked"] == 110
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_reconcile_before_follow_leaves_the_snapshot(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    lab.scan(lab.labware("DN1"), lab.user(), lab.location())
    assert counted(daemon)["missing"] == 1
    assert daemon.counts(follow)["labwares"] == 1
    assert daemon.counts(follow)["labwares"] == 0


def test_reconcile_never_undoes_what_follow_does(mariadb_warehouses: Warehouses, state_folder: Path) -> None:
    warehouses = mariadb_warehouses
    daemon, lab, target = Daemon(warehouses.environment(), state_folder), LabWhere(warehouses.labwhere), warehouses.mlwh
    user, first, second = lab.user(), lab.location("First"), lab.location("Second")
    lab.scan(lab.labware("A"), user, first)
    lab.scan(lab.labware("B"), user, second)
    daemon.run(follow)
    Tables(target).execute("UPDATE labware_location SET location_name = 'by hand'")
    runs = [threading.Thread(target=daemon.run, args=(task, task.__name__)) for task in (reconcile, follow)]
    with target.begin() as other:
        other.execute(text("SELECT * FROM labware_location WHERE labware_barcode = 'A' FOR UPDATE"))
        runs[0].start()
        until(lambda: bool(waiting_for_a_lock(warehouses)))  # it has read LabWhere, and waits to write
        lab.change("locations", {"id": second}, name="Renamed meanwhile")
        lab.audit("Location", second, user)
        runs[1].start()
        runs[1].join(1)
    for run in runs:
        run.join()
    assert stored(target) == expected(warehouses.labwhere).rows
    daemon.close()


def waiting_for_a_lock(warehouses: Warehouses) -> list[tuple[str]]:
    """What sessions wait for the lock of a row."""
    assert warehouses.server is not None
    query = "SELECT info FROM information_schema.processlist WHERE info LIKE '%labware_location% FOR UPDATE'"
    return list(warehouses.server.execute(query))


def test_reconcile_gives_way_to_a_busy_server(
    mariadb_warehouses: Warehouses,
    state_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(rows, "PAGE_ROWS", 10)
    monkeypatch.setattr(load_limit, "PAUSE_SECONDS", 0.05)
    mariadb_warehouses.fill(labwares=100, runs=0)
    environment = mariadb_warehouses.environment() | {"LOAD_LIMIT_THREADS_RUNNING": "4"}
    daemon = Daemon(environment, state_folder)
    server = mariadb_warehouses.server
    assert server is not None
    with busy_threads(server, 6):
        run = threading.Thread(target=daemon.run, args=(reconcile,))
        run.start()
        with statements_sent() as sent:
            until(lambda: "over the limit of 4" in caplog.text)
            sent.clear()
            until(lambda: sum("Threads_running" in statement for statement in sent) >= 5)
        assert run.is_alive() and not stored(mariadb_warehouses.mlwh)
    run.join(20)
    assert stored(mariadb_warehouses.mlwh) == expected(mariadb_warehouses.labwhere).rows
    daemon.close()


@pytest.mark.parametrize("busy", ["LabWhere", "MLWH"])
def test_reconcile_gives_way_to_either_server(
    busy: str,
    sqlite_warehouses: Warehouses,
    mariadb_warehouses: Warehouses,
    state_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(load_limit, "PAUSE_SECONDS", 0.05)
    on_file, served, server = sqlite_warehouses, mariadb_warehouses, mariadb_warehouses.server
    assert server is not None
    engines = (served.labwhere, on_file.mlwh) if busy == "LabWhere" else (on_file.labwhere, served.mlwh)
    warehouses = Warehouses(*engines, on_file.events)
    lab = LabWhere(warehouses.labwhere)
    lab.scan(lab.labware("DN1"), lab.user(), lab.location())
    daemon = Daemon(warehouses.environment() | {"LOAD_LIMIT_THREADS_RUNNING": "3"}, state_folder)
    with busy_threads(server, 5):
        run = threading.Thread(target=daemon.run, args=(reconcile,))
        run.start()
        until(lambda: "over the limit of 3" in caplog.text or not run.is_alive())
        assert run.is_alive() and not stored(warehouses.mlwh)
    run.join(20)
    assert set(stored(warehouses.mlwh)) == {"DN1"}
    daemon.close()


@pytest.mark.parametrize("limit, at_once", [("", 2), ("1000", 1)])
def test_reconcile_reads_two_pages_at_once_or_gives_way(
    limit: str, at_once: int, warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 10)
    warehouses.fill(labwares=60, runs=0)
    daemon = Daemon(warehouses.environment() | {"LOAD_LIMIT_THREADS_RUNNING": limit}, state_folder)
    daemon.run(follow)
    with pages_read() as most:
        assert counted(daemon)["checked"] == 60
    assert max(most) == at_once and len(most) >= 6
    daemon.close()


@contextlib.contextmanager
def pages_read() -> Iterator[list[int]]:
    """For each page that is read of LabWhere inside the block, how many were being read just then."""
    reading: set[int] = set()
    most: list[int] = []

    def before(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if "AS latest" in statement:
            reading.add(id(connection))
            most.append(len(reading))
            time.sleep(0.2)

    def after(connection: Connection, *_: object) -> None:
        reading.discard(id(connection))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield most
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


@contextlib.contextmanager
def statements_sent() -> Iterator[list[str]]:
    """The statements that are sent to any database inside the block."""
    sent: list[str] = []

    def note(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextlib.contextmanager
def busy_threads(server: SqlServer, count: int) -> Iterator[None]:
    """Keep so many threads of a server running for the length of a block."""
    threads = [threading.Thread(target=doze, args=(server,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(sleepers(server)) == count)
        yield
    finally:
        for (id,) in sleepers(server):
            server.execute(f"KILL QUERY {id}")
        for thread in threads:
            thread.join()


def doze(server: SqlServer) -> None:
    """Keep a thread of the server running, until it is killed."""
    with contextlib.suppress(DBAPIError):
        server.execute("SELECT SLEEP(60)")


def sleepers(server: SqlServer) -> list[tuple[int]]:
    """The sessions that sleep."""
    query = "SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'"
    return list(server.execute(query))


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen soon."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


SHOUT = {
    "sqlite": "CREATE TRIGGER shout AFTER UPDATE ON labware_location WHEN NEW.location_name = 'Attic' "
    "BEGIN UPDATE labware_location SET location_name = 'ATTIC' WHERE id = NEW.id; END",
    "mysql": "CREATE TRIGGER shout BEFORE UPDATE ON labware_location FOR EACH ROW "
    "IF BINARY NEW.location_name = 'Attic' THEN SET NEW.location_name = 'ATTIC'; END IF",
}


def test_repairs_that_do_not_stay_are_told(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    # Given a table whose trigger rewrites the name of one location.
    # What happens: reconcile runs, and runs again.
    # What must hold: each time it says that something changes these rows, and repairs and writes nothing for ever.
    user, attic, cellar = lab.user(), lab.location("Attic"), lab.location("Cellar")
    labwares = [lab.labware(f"DN{n}", cellar) for n in range(4)]
    for labware in labwares:
        lab.scan(labware, user, cellar)
    daemon.run(follow)
    target = Tables(warehouses.mlwh)
    target.execute(SHOUT["mysql" if warehouses.server else "sqlite"])
    for labware in labwares[:3]:
        lab.scan(labware, user, attic)
    lab.scan(labwares[3], user, lab.location("Roof"))
    counts = daemon.counts(follow)
    assert (counts["updated"], counts["quarantined"]) == (1, 3)
    before = target.all("labware_location", "labware_barcode", "location_name", "updated_at")
    for _ in range(2):
        counts = daemon.counts(reconcile)
        assert (counts["different"], counts["repaired"], counts["quarantined"]) == (0, 0, 3)
        assert daemon.counts(follow)["quarantined"] == 3
        assert target.all("labware_location", "labware_barcode", "location_name", "updated_at") == before
    with daemon.state.begin() as connection:
        found = [row.reason for row in quarantine.listing(connection, "labware_location")]
    words = "location_name was written as 'Attic' and is stored as 'ATTIC'"
    assert found == [f"something changes the rows that are written: {words}"] * 3
    target.execute("DROP TRIGGER shout")
    assert daemon.counts(reconcile)["repaired"] == 3
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_labwares_with_negative_ids_are_followed(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    user, shelf = lab.user(), lab.location()
    labwares = [lab.labware(f"DN{n}", shelf) for n in range(3)]
    for at, labware in enumerate(labwares, 1):
        lab.execute(f"UPDATE labwares SET id = {-at} WHERE id = {labware}")
        lab.scan(-at, user, shelf)
    assert daemon.counts(follow)["inserted"] == 3
    assert daemon.counts(reconcile)["checked"] == 3
    lab.change("locations", {"id": shelf}, name="Renamed")
    lab.audit("Location", shelf, user)
    assert daemon.counts(follow)["updated"] == 3
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_ids_that_are_texts_are_told(sqlite_warehouses: Warehouses, state_folder: Path) -> None:
    lab = LabWhere(sqlite_warehouses.labwhere)
    lab.scan(lab.labware("DN1", lab.location()), lab.user())
    columns = "CAST('x' || id AS TEXT) AS id, barcode, location_id, coordinate_id"
    lab.execute(f"CREATE TABLE other AS SELECT {columns} FROM labwares")
    lab.execute("DROP TABLE labwares")
    lab.execute("ALTER TABLE other RENAME TO labwares")
    daemon = Daemon(sqlite_warehouses.environment(), state_folder)
    reason = daemon.run(follow).reason or ""
    assert "labwares.id at " in reason and "holds 'x1', and this task needs whole numbers there" in reason
    daemon.close()
