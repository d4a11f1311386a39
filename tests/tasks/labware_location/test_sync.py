"""labware_location, follow: what touches a labware, what a tick writes, and what no order of commits loses.

The other movement, `reconcile`, has a file of its own: test_reconcile.py.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.feeds import Position
from janitor.state import cursors
from janitor.tasks.labware_location import follow, reconcile, rows, sync
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer
from tests.tasks.clock import Clock
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, merged, stored
from tests.tasks.labware_location.test_reconcile import statements_sent
from tests.tasks.rows import Tables, moment


def ids(warehouses: Warehouses) -> dict[str, int]:
    """By barcode: the row's id."""
    return {row["labware_barcode"]: row["id"] for row in Tables(warehouses.mlwh).all("labware_location", *KEYS)}


KEYS = ("id", "labware_barcode", "updated_at")


def written_at(warehouses: Warehouses) -> dict[str, Any]:
    """By barcode: when the row was written last."""
    rows = Tables(warehouses.mlwh).all("labware_location", *KEYS)
    return {row["labware_barcode"]: moment(row["updated_at"]) for row in rows}


def position(daemon: Daemon) -> Position | None:
    """The saved cursor."""
    with daemon.state.begin() as connection:
        saved = cursors.load(connection, "labware_location")
    return None if saved is None else Position.load(saved)


class Writes:
    """What the server has counted as written rows since this was made, all databases together."""

    def __init__(self, server: SqlServer) -> None:
        self.server = server
        self.before = self._count()

    def _count(self) -> int:
        # MariaDB leaves InnoDB's own counters at 0; MySQL's Handler_write also counts the rows of temporary tables.
        names = "'Handler_write', 'Handler_update', 'Handler_delete'"
        if "MariaDB" not in str(self.server.execute("SELECT VERSION()")):
            names = "'Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted'"
        rows = self.server.execute(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({names})")
        return sum(int(value) for _, value in rows)

    @property
    def rows(self) -> int:
        """How many rows were inserted, updated or deleted."""
        return self._count() - self.before


def test_an_audit_of_a_location_touches_all_in_it(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    user, shelf, other = lab.user(), lab.location("Shelf"), lab.location("Other")
    box = lab.location("Box")
    direct = [lab.labware(f"S{n}") for n in range(3)]
    for labware in direct:
        lab.scan(labware, user, shelf)
    placed = [lab.labware(f"B{n}") for n in range(3)]
    for n, labware in enumerate(placed):
        lab.scan(labware, user, coordinate=lab.coordinate(box, n))
    lab.scan(lab.labware("O1"), user, other)
    daemon.run(follow)
    before = written_at(warehouses)
    lab.change("locations", {"id": shelf}, name="Shelf renamed")
    lab.change("locations", {"id": box}, parentage="moved / elsewhere")
    assert daemon.counts(follow)["updated"] == 0  # nothing has announced it
    lab.audit("Location", shelf, user)
    assert daemon.counts(follow)["updated"] == 3
    lab.audit("Location", box, user)
    assert daemon.counts(follow)["updated"] == 3
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    assert written_at(warehouses)["O1"] == before["O1"]


def test_a_location_with_more_than_a_page(
    lab: LabWhere, warehouses: Warehouses, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 7)
    user, shelf = lab.user(), lab.location("Shelf")
    with lab.transaction():
        for n in range(21):
            lab.audit("Labware", lab.labware(f"DN{n}", shelf), user)
    daemon.run(follow)
    lab.change("locations", {"id": shelf}, name="Renamed")
    lab.audit("Location", shelf, user)
    assert daemon.counts(follow)["updated"] == 21
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_follow_reads_its_cursor_once(
    lab: LabWhere, warehouses: Warehouses, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a shelf with five pages of labware, and short pages of labware that was never followed.
    # What happens: follow takes the snapshot, and then the audit of the shelf.
    # What must hold: it checks LabWhere for each page, and the cursor, which it moves itself, is read as it begins.
    monkeypatch.setattr(rows, "PAGE_ROWS", 5)
    shelf, user = lab.location("Shelf"), lab.user()
    for number in range(25):
        lab.audit("Labware", lab.labware(f"DN{number}", shelf), user)
    for audits in (0, 1):
        with statements_sent() as sent:
            assert daemon.counts(follow)["audits"] == audits
        assert sum("FROM cursors" in one for one in sent) == 1
        lab.audit("Location", shelf, user)
    assert sum("FROM audits ORDER BY" in " ".join(one.split()) for one in sent) >= 6
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_a_tick_without_news_writes_nothing(warehouses: Warehouses, daemon: Daemon) -> None:
    warehouses.fill(labwares=300, runs=0)
    assert daemon.counts(follow)["inserted"] > 280
    before = Tables(warehouses.mlwh).all("labware_location", *KEYS, "created_at")
    writes = Writes(warehouses.server) if warehouses.server else None
    cursor = position(daemon)
    for _ in range(2):
        counts = daemon.counts(follow)
        assert counts["audits"] == counts["inserted"] == counts["updated"] == 0
    assert Tables(warehouses.mlwh).all("labware_location", *KEYS, "created_at") == before
    assert position(daemon) == cursor
    if writes:
        assert writes.rows == 0


def test_hopeless_labware_keeps_no_other_from_a_second_look(sqlite_warehouses: Warehouses, state_folder: Path) -> None:
    # Given: 21 labwares that stand nowhere, and later one more; a tick looks at 20 that wait in quarantine.
    # What happens: the last is mended, and no audit tells. What must hold: two ticks later its row is there.
    lab, daemon = LabWhere(sqlite_warehouses.labwhere), Daemon(sqlite_warehouses.environment(), state_folder)
    user, shelf = lab.user(), lab.location()
    for n in range(21):
        lab.scan(lab.labware(f"DN{n}"), user)
    daemon.run(follow)
    last = lab.labware("DN21")
    lab.scan(last, user)
    assert daemon.counts(follow)["quarantined"] == 22
    lab.change("labwares", {"id": last}, location_id=shelf)
    assert [daemon.counts(follow)["quarantined"] for _ in range(2)] == [22, 21]
    assert set(stored(sqlite_warehouses.mlwh)) == {"DN21"}
    daemon.close()


def test_audits_that_change_nothing_write_nothing(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf, user = lab.location(), lab.user()
    for n in range(30):
        lab.scan(lab.labware(f"DN{n}"), user, shelf)
    daemon.run(follow)
    before = written_at(warehouses)
    writes = Writes(warehouses.server) if warehouses.server else None
    for number in range(1, 4):
        audit = lab.audit("Location", shelf, user)
        counts = daemon.counts(follow)
        assert (counts["audits"], counts["updated"], counts["unchanged"]) == (1, 0, 30)
        assert position(daemon) is not None and audit in position(daemon).taken  # type: ignore[union-attr]
        if writes:
            assert writes.rows == number  # the audit itself, that the test wrote
    assert written_at(warehouses) == before


def test_ids_are_used_for_new_labware_only(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf, user = lab.location(), lab.user()
    labwares = [lab.labware(f"DN{n}") for n in range(40)]
    for labware in labwares:
        lab.scan(labware, user, shelf)
    daemon.run(follow)
    for turn in range(4):
        place = lab.location(f"Shelf {turn}")
        for labware in labwares:
            lab.scan(labware, user, place)
        daemon.run(reconcile if turn % 2 else follow)
    daemon.run(follow)
    lab.scan(lab.labware("NEW"), user, shelf)
    daemon.run(follow)
    used = sorted(ids(warehouses).values())
    assert used == list(range(used[0], used[0] + 41))
    assert ids(warehouses)["NEW"] == used[-1]


def test_audits_of_nothing_hold_nothing_up(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    user, shelf = lab.user(), lab.location("Shelf")
    labware = lab.labware("DN1", shelf)
    daemon.run(follow)
    for kind, id in (("Labware", None), ("Location", None), (None, None), ("Location", shelf), ("Labware", labware)):
        lab.audit(kind, id, user)
    counts = daemon.counts(follow)
    assert (counts["audits"], counts["inserted"]) == (5, 1)
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


@pytest.mark.parametrize("ahead", [timedelta(seconds=5), timedelta(days=400), timedelta(0)])
def test_the_audit_with_the_highest_id_is_the_truth(
    ahead: timedelta, lab: LabWhere, warehouses: Warehouses, daemon: Daemon
) -> None:
    # Given: an audit that a clock ahead of the others has dated.
    # What happens: a later audit has the right date; then reconcile runs.
    # What must hold: the table has the later place and its date, for both movements.
    noon, user = datetime(2026, 7, 1, 12), lab.user()
    labware = lab.labware("DN1A")
    lab.scan(labware, user, lab.location("first"), at=noon + ahead)
    daemon.run(follow)
    lab.scan(labware, user, lab.location("then"), at=noon)
    assert daemon.counts(follow)["updated"] == 1
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    assert stored(warehouses.mlwh)["DN1A"]["location_name"] == "then"
    target = Tables(warehouses.mlwh)
    target.change("labware_location", {"labware_barcode": "DN1A"}, location_name="x", stored_at=noon + 2 * ahead)
    assert daemon.counts(reconcile)["repaired"] == 1
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    assert daemon.counts(reconcile)["repaired"] == 0


def test_audits_of_one_second_all_count(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    noon, user = datetime(2026, 7, 1, 12), lab.user()
    shelves = [lab.location(f"Shelf {n}") for n in range(5)]
    labwares = [lab.labware(f"DN{n}") for n in range(5)]
    daemon.run(follow)
    for turn in range(5):
        for n, labware in enumerate(labwares):
            lab.scan(labware, user, shelves[(n + turn) % 5], at=noon)
        daemon.run(follow)
        assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_a_transaction_that_commits_late_is_not_lost(
    mariadb_warehouses: Warehouses, state_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock().give_to(monkeypatch, sync, "audits")
    daemon, lab = Daemon(mariadb_warehouses.environment(), state_folder), LabWhere(mariadb_warehouses.labwhere)
    user, old, new = lab.user(), lab.location("Old"), lab.location("New")
    slow, quick = lab.labware("SLOW"), lab.labware("QUICK")
    for labware in (slow, quick):
        lab.scan(labware, user, old)
    daemon.run(follow)
    other = LabWhere(mariadb_warehouses.labwhere)
    other.now = lab.now
    with other.transaction():
        low = other.scan(slow, user, new)
        high = lab.scan(quick, user, new)
        assert low < high
        assert daemon.counts(follow)["updated"] == 1
        for _ in range(3):
            clock.advance(3 * 60)
            assert daemon.counts(follow)["audits"] == 0
        assert stored(mariadb_warehouses.mlwh)["SLOW"]["location_name"] == "Old"
    assert daemon.counts(follow)["audits"] == 1
    assert stored(mariadb_warehouses.mlwh) == expected(mariadb_warehouses.labwhere).rows
    for _ in range(3):
        clock.advance(10 * 60 + 1)
        assert daemon.counts(follow)["audits"] == 0
    settled = position(daemon)
    assert settled is not None and settled.mark == high and not settled.taken
    daemon.close()


def test_a_late_commit_of_the_first_run_is_not_lost(mariadb_warehouses: Warehouses, state_folder: Any) -> None:
    daemon, lab = Daemon(mariadb_warehouses.environment(), state_folder), LabWhere(mariadb_warehouses.labwhere)
    user, shelf = lab.user(), lab.location()
    slow = lab.labware("SLOW")
    with LabWhere(mariadb_warehouses.labwhere).transaction() as connection:
        other = LabWhere(mariadb_warehouses.labwhere)
        other._open = connection
        other.scan(slow, user, shelf)
        lab.scan(lab.labware("QUICK"), user, shelf)
        daemon.run(follow)
        assert set(stored(mariadb_warehouses.mlwh)) == {"QUICK"}
    daemon.run(follow)
    assert stored(mariadb_warehouses.mlwh) == expected(mariadb_warehouses.labwhere).rows
    assert set(stored(mariadb_warehouses.mlwh)) == {"SLOW", "QUICK"}
    daemon.close()


def test_rows_of_others_stay_and_disturb_nothing(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    target = Tables(warehouses.mlwh)
    texts = {"location_barcode": "x", "full_location_address": "x", "location_name": "x", "stored_by": "x"}
    far = dict.fromkeys(("stored_at", "created_at", "updated_at"), datetime(2030, 1, 1))
    for n in range(3):
        target.add("labware_location", labware_barcode=f"OTHER{n}", lims_id="Another", **texts, **far)
    others = {barcode: row for barcode, row in stored(warehouses.mlwh).items()}
    lab.scan(lab.labware("DN1A"), lab.user(), lab.location())
    for task in (follow, follow, reconcile):
        counts = daemon.counts(task)
        assert counts["quarantined"] == 0 and counts.get("orphaned", 0) == 0
    assert stored(warehouses.mlwh) == others | expected(warehouses.labwhere).rows


def test_a_dry_run_writes_nothing(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    user, shelf = lab.user(), lab.location()
    labware = lab.labware("DN1A")
    lab.scan(labware, user, shelf)
    lab.scan(lab.labware("WRONG"), user)
    for _ in range(2):
        assert daemon.counts(follow, dry_run=True)["inserted"] == 1
        assert stored(warehouses.mlwh) == {} and position(daemon) is None
    daemon.run(follow)
    cursor, before = position(daemon), stored(warehouses.mlwh)
    lab.scan(labware, user, lab.location("Elsewhere"))
    lab.scan(lab.labware("WRONG TOO"), user)
    counts = daemon.counts(follow, dry_run=True)
    assert (counts["audits"], counts["updated"], counts["quarantined"]) == (2, 1, 1)
    assert (position(daemon), stored(warehouses.mlwh)) == (cursor, before)
    assert daemon.counts(follow)["updated"] == 1
    assert stored(warehouses.mlwh) == merged(before, expected(warehouses.labwhere).rows)
