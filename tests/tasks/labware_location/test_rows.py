"""labware_location: what a row holds, and which labwares have none."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from janitor.state import quarantine
from janitor.tasks.labware_location import follow, reconcile, rows
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.rows import Tables, moment

STAMPS = ("id", "labware_barcode", "stored_at", "created_at", "updated_at")


def utc_now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def stamps(warehouses: Warehouses) -> dict[str, tuple[Any, ...]]:
    """By barcode: id, stored_at, created_at and updated_at as stored."""
    rows = Tables(warehouses.mlwh).all("labware_location", *STAMPS)
    found = {row["labware_barcode"]: (row["id"], *(moment(row[name]) for name in STAMPS[2:])) for row in rows}
    return found


def reasons(daemon: Daemon) -> dict[str, str]:
    """By key: why it is in quarantine."""
    with daemon.state.begin() as connection:
        return {row.key: row.reason for row in quarantine.listing(connection, "labware_location")}


REFUSALS = {
    "sqlite": "CREATE TRIGGER choosy BEFORE UPDATE ON labware_location WHEN NEW.location_name = 'Attic' "
    "BEGIN SELECT RAISE(ABORT, 'nothing in the attic'); END",
    "mysql": "CREATE TRIGGER choosy BEFORE UPDATE ON labware_location FOR EACH ROW "
    "IF NEW.location_name = 'Attic' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing in the attic'; END IF",
}


def test_a_row_that_the_server_refuses_waits_alone(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    # Given four labwares, and a table whose trigger refuses what stands in the attic.
    # What happens: all are moved, one of them to the attic; later the trigger is gone.
    # What must hold: three rows are written, the fourth waits with the server's words, then leaves by itself.
    user, shelf = lab.user(), lab.location("Shelf 1")
    labwares = [lab.labware(f"DN{n}", shelf) for n in range(4)]
    for labware in labwares:
        lab.scan(labware, user, shelf)
    daemon.run(follow)
    Tables(warehouses.mlwh).execute(REFUSALS["mysql" if warehouses.server else "sqlite"])
    before, attic, cellar = stored(warehouses.mlwh), lab.location("Attic"), lab.location("Cellar")
    for n, labware in enumerate(labwares):
        lab.scan(labware, user, attic if n == 2 else cellar)
    counts = daemon.counts(follow)
    assert (counts["updated"], counts["quarantined"]) == (3, 1)
    wanted = expected(warehouses.labwhere).rows
    assert stored(warehouses.mlwh) == wanted | {"DN2": before["DN2"]}
    assert "nothing in the attic" in reasons(daemon)["DN2"]
    assert daemon.counts(reconcile)["quarantined"] == 1
    Tables(warehouses.mlwh).execute("DROP TRIGGER choosy")
    assert daemon.counts(follow)["quarantined"] == 0
    assert stored(warehouses.mlwh) == wanted


def test_every_column_of_a_labware_in_a_box(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    box = lab.location("Box 7", "lw-box-7", "Sulston / Room 3 / Freezer 2")
    place = lab.coordinate(box, position=14, row=2, column=5)
    first, second = lab.user("ab1"), lab.user("cd2")
    labware = lab.labware("DN1A", coordinate=place)
    lab.audit("Labware", labware, first, datetime(2026, 7, 1, 10, 0, 0))
    lab.audit("Labware", labware, second, datetime(2026, 7, 1, 11, 30, 5))
    before = utc_now()
    assert daemon.counts(follow)["inserted"] == 1
    assert stored(warehouses.mlwh) == {
        "DN1A": {
            "labware_barcode": "DN1A",
            "location_barcode": "lw-box-7",
            "full_location_address": "Sulston / Room 3 / Freezer 2",
            "location_name": "Box 7",
            "coordinate_position": 14,
            "coordinate_row": 2,
            "coordinate_column": 5,
            "lims_id": "LabWhere",
            "stored_by": "cd2",
            "stored_at": datetime(2026, 7, 1, 11, 30, 5),
        }
    }
    _, _, created_at, updated_at = stamps(warehouses)["DN1A"]
    assert before - timedelta(seconds=1) <= created_at == updated_at <= utc_now() + timedelta(seconds=1)


def test_updated_at_moves_and_created_at_stays(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf, user = lab.location(), lab.user()
    labware = lab.labware("DN1A", shelf)
    lab.scan(labware, user, shelf)
    daemon.run(follow)
    id, _, created_at, updated_at = stamps(warehouses)["DN1A"]
    lab.scan(labware, user, lab.location("Shelf 2"))
    daemon.run(follow)
    again = stamps(warehouses)["DN1A"]
    assert (again[0], again[2]) == (id, created_at)
    assert again[3] > updated_at


def test_the_latest_audit_is_that_of_the_highest_id(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf = lab.location()
    labware = lab.labware("DN1A", shelf)
    late, early = datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 10)
    lab.audit("Labware", labware, lab.user("late"), late)
    lab.audit("Labware", labware, lab.user("last"), early)
    lab.audit("Location", labware, lab.user("other"), late)
    lab.audit(None, labware, lab.user("other"), late)
    daemon.run(follow)
    assert stored(warehouses.mlwh)["DN1A"]["stored_by"] == "last"
    assert stored(warehouses.mlwh)["DN1A"]["stored_at"] == early


def test_a_labware_on_a_shelf_has_no_coordinate(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf = lab.location("Shelf 9", "lw-9", "")
    lab.scan(lab.labware("DN1A"), lab.user(), shelf)
    daemon.run(follow)
    row = stored(warehouses.mlwh)["DN1A"]
    assert (row["location_barcode"], row["full_location_address"], row["location_name"]) == ("lw-9", "", "Shelf 9")
    assert [row[f"coordinate_{name}"] for name in ("position", "row", "column")] == [None, None, None]


@pytest.mark.parametrize("barcode", [None, ""])
def test_a_box_without_barcode_gives_way(
    barcode: str | None, lab: LabWhere, warehouses: Warehouses, daemon: Daemon
) -> None:
    box = lab.location("Box 1", "lw-box", "Freezer 1")
    lab.change("locations", {"id": box}, barcode=barcode)
    shelf = lab.location("Shelf 1", "lw-shelf", "Freezer 2")
    labware = lab.labware("DN1A", shelf, lab.coordinate(box, 3, 1, 3))
    lab.audit("Labware", labware, lab.user())
    daemon.run(follow)
    row = stored(warehouses.mlwh)["DN1A"]
    assert (row["location_barcode"], row["full_location_address"]) == ("lw-shelf", "Freezer 2")
    assert (row["location_name"], row["coordinate_position"]) == ("Shelf 1", 3)


def test_the_box_wins_over_the_shelf(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    box, shelf = lab.location("Box 1", "lw-box", "Freezer 1"), lab.location("Shelf 1", "lw-shelf", "Freezer 2")
    lab.audit("Labware", lab.labware("DN1A", shelf, lab.coordinate(box)), lab.user())
    daemon.run(follow)
    row = stored(warehouses.mlwh)["DN1A"]
    assert (row["location_barcode"], row["full_location_address"], row["location_name"]) == (
        "lw-box",
        "Freezer 1",
        "Box 1",
    )


def test_a_labware_without_audit_has_no_row(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf = lab.location()
    labware = lab.labware("DN1A", shelf)
    lab.audit("Location", labware, lab.user())
    for task in (follow, follow, reconcile):
        daemon.counts(task)
        assert stored(warehouses.mlwh) == {}
    assert reasons(daemon) == {}


def test_latin1_text_arrives_as_it_was(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf = lab.location("Größe 4°C, \\ 'quoted' \"twice\" % %s", "lw-1", "Bâtiment £ / €")
    lab.scan(lab.labware("DN1A"), lab.user("ü"), shelf)
    daemon.run(follow)
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    assert stored(warehouses.mlwh)["DN1A"]["full_location_address"] == "Bâtiment £ / €"


WRONG = {
    "nowhere": "'nowhere' stands in no location that has a barcode",
    "unmarked": "'unmarked' stands in no location that has a barcode",
    "unmarked box": "'unmarked box' stands in no location that has a barcode",
    "no user": "labware 'no user' has no user with a login",
    "lost user": "labware 'lost user' has no user with a login",
    "no login": "labware 'no login' has no user with a login",
    "empty login": "labware 'empty login' has no user with a login",
    "no address": "full_location_address is missing",
    "no name": "location_name is missing",
    "foreign": "has a row of lims_id 'Another', which stays as it is",
}


def put_wrongly(lab: LabWhere) -> None:
    """A labware for each reason to be put in quarantine, named for it; the last scan of each is what is wrong."""
    good, user = lab.location("Good"), lab.user()
    unmarked = lab.location(barcode="")
    places = {
        "nowhere": None,
        "unmarked": unmarked,
        "no address": lab.location(parentage=None),
        "no name": lab.location(name=None),
        "unmarked box": None,
    }
    users = {"no user": None, "lost user": 999, "no login": lab.user(None), "empty login": lab.user("")}
    for barcode in WRONG:
        labware = lab.labware(barcode)
        if barcode != "foreign":
            lab.scan(labware, user, good, at=datetime(2026, 7, 1, 8))
        box = lab.coordinate(unmarked) if barcode == "unmarked box" else None
        lab.scan(labware, users.get(barcode, user), places.get(barcode, good), box)


def foreign_row(barcode: str) -> dict[str, Any]:
    """A row of another LIMS."""
    texts = {"location_barcode": "theirs", "full_location_address": "", "location_name": "", "stored_by": "x"}
    moments = dict.fromkeys(("stored_at", "created_at", "updated_at"), datetime(2020, 1, 1))
    return {"labware_barcode": barcode, "lims_id": "Another", **texts, **moments}


def test_what_cannot_be_synced_waits_with_a_reason(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    target = Tables(warehouses.mlwh)
    target.add("labware_location", **foreign_row("foreign"))
    user, good = lab.user(), lab.location()
    lab.scan(lab.labware("DN1"), user, good)
    daemon.run(follow)
    put_wrongly(lab)
    lab.scan(lab.labware("DN2"), user, good)
    assert daemon.counts(follow)["quarantined"] == len(WRONG)
    found = reasons(daemon)
    assert {key: words for key, words in WRONG.items() if words not in found.get(key, "")} == {}
    rows = stored(warehouses.mlwh)
    assert set(rows) == {"DN1", "DN2", "foreign"}
    assert rows["foreign"]["lims_id"] == "Another" and rows["foreign"]["location_barcode"] == "theirs"
    # All of it is mended without an audit: the next tick looks at it again.
    target.remove("labware_location", labware_barcode="foreign")
    lab.execute(f"UPDATE labwares SET location_id = {good}, coordinate_id = NULL")
    lab.execute(f"UPDATE audits SET user_id = {user}")
    assert daemon.counts(follow)["quarantined"] == 0
    assert reasons(daemon) == {}
    assert len(stored(warehouses.mlwh)) == 2 + len(WRONG)
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_the_first_run_puts_in_quarantine_too(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    Tables(warehouses.mlwh).add("labware_location", **foreign_row("foreign"))
    put_wrongly(lab)
    lab.scan(lab.labware("DN1"), lab.user(), lab.location())
    assert daemon.counts(follow)["quarantined"] == len(WRONG)
    assert set(reasons(daemon)) == set(WRONG) == expected(warehouses.labwhere).quarantined | {"foreign"}
    assert set(stored(warehouses.mlwh)) == {"DN1", "foreign"}


@pytest.mark.parametrize("kind", ["sqlite_warehouses", "own_databases"])
def test_values_too_long_for_the_table_wait(kind: str, state_folder: Path, request: pytest.FixtureRequest) -> None:
    warehouses: Warehouses = request.getfixturevalue(kind)
    lab, daemon = LabWhere(warehouses.labwhere), Daemon(warehouses.environment(), state_folder)
    if warehouses.server:
        lab.execute("ALTER TABLE users MODIFY login varchar(300)")
        lab.execute("ALTER TABLE labwares MODIFY barcode varchar(300)")
    shelf, user, long = lab.location(), lab.user("u" * 255), lab.user("u" * 256)
    labware = lab.labware("DN1A")
    lab.scan(labware, long, shelf)
    lab.scan(lab.labware("D" * 256), user, shelf)
    lab.scan(lab.labware("D" * 255), user, shelf)
    daemon.run(follow)
    assert set(stored(warehouses.mlwh)) == {"D" * 255}
    assert "stored_by has 256 characters" in reasons(daemon)["DN1A"]
    # A key of more than 255 characters is kept with its beginning and a digest.
    (reason,) = [reason for key, reason in reasons(daemon).items() if key.startswith("D" * 238)]
    assert "labware_barcode has 256 characters" in reason
    lab.scan(labware, user, shelf)
    assert daemon.counts(follow)["quarantined"] == 1
    assert set(stored(warehouses.mlwh)) == {"D" * 255, "DN1A"}
    daemon.close()


def test_the_old_row_stays_while_it_waits(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf, user = lab.location("Shelf 1", "lw-1"), lab.user()
    labware = lab.labware("DN1A")
    lab.scan(labware, user, shelf)
    daemon.run(follow)
    before = stored(warehouses.mlwh), stamps(warehouses)
    lab.change("labwares", {"id": labware}, deleted_at=datetime(2026, 7, 1, 12))
    lab.scan(labware, user)
    for task in (follow, follow, reconcile):
        assert daemon.counts(task)["quarantined"] == 1
        assert (stored(warehouses.mlwh), stamps(warehouses)) == before
    lab.change("labwares", {"id": labware}, deleted_at=None)
    lab.scan(labware, user, shelf)
    assert daemon.counts(follow)["quarantined"] == 0
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_a_soft_deleted_labware_that_stands_is_synced(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    labware = lab.labware("DN1A")
    lab.change("labwares", {"id": labware}, deleted_at=datetime(2026, 7, 1, 12))
    lab.scan(labware, lab.user(), lab.location())
    daemon.run(follow)
    assert set(stored(warehouses.mlwh)) == {"DN1A"}


def test_quarantine_is_told_once(
    lab: LabWhere, daemon: Daemon, caplog: pytest.LogCaptureFixture, warehouses: Warehouses
) -> None:
    shelf, user = lab.location(), lab.user()
    labwares = [lab.labware(f"DN{n}") for n in range(5)]
    for labware in labwares:
        lab.scan(labware, user)
    told: list[str] = []
    for task in (follow, follow, reconcile, follow, reconcile):
        caplog.clear()
        assert daemon.counts(task)["quarantined"] == 5
        told += [record.getMessage() for record in caplog.records if "in quarantine" in record.getMessage()]
    assert len(told) == 5
    caplog.clear()
    lab.scan(labwares[0], None, shelf)  # now for another reason: that is news
    daemon.run(follow)
    daemon.run(follow)
    assert [r.getMessage() for r in caplog.records if "in quarantine" in r.getMessage()] == [
        f"in quarantine: {reasons(daemon)['DN0']}"
    ]
    caplog.clear()
    lab.scan(labwares[0], user, shelf)
    daemon.run(follow)
    lab.scan(labwares[0], user)
    daemon.run(follow)
    assert len([r for r in caplog.records if "in quarantine" in r.getMessage()]) == 1


def test_a_labware_deleted_while_it_waits_is_let_go(lab: LabWhere, daemon: Daemon) -> None:
    labware = lab.labware("DN1A")
    lab.scan(labware, lab.user())
    assert daemon.counts(follow)["quarantined"] == 1
    lab.remove("labwares", id=labware)
    assert daemon.counts(follow)["quarantined"] == 0


def test_more_wait_than_one_tick_looks_at_again(lab: LabWhere, warehouses: Warehouses, daemon: Daemon) -> None:
    shelf, user = lab.location(), lab.user()
    number = 45
    with lab.transaction():
        for n in range(number):
            lab.audit("Labware", lab.labware(f"DN{n:03}"), user)
    assert daemon.counts(follow)["quarantined"] == number
    lab.execute(f"UPDATE labwares SET location_id = {shelf}")
    left = [daemon.counts(follow)["quarantined"] for _ in range(3)]
    assert left == [25, 5, 0], "twenty at each tick"
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows


def test_pages_of_labwares_end_with_the_last_labware(
    lab: LabWhere, warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 3)
    ids = [lab.labware(f"DN{n}") for n in range(7)]
    first, second, last = ids[2], ids[5], ids[6]
    assert list(rows.spans(warehouses.labwhere_url)) == [
        (rows.BEFORE_ALL, first, 3),
        (first, second, 3),
        (second, last, 1),
    ]
    assert list(rows.spans(warehouses.labwhere_url, after=second)) == [(second, last, 1)]
    assert list(rows.spans(warehouses.labwhere_url, after=last)) == []


def test_an_id_without_a_labware_counts_as_nothing(lab: LabWhere, warehouses: Warehouses) -> None:
    silent, scanned, shelf = lab.labware("DN1"), lab.labware("DN2"), lab.location()
    lab.scan(scanned, lab.user(), shelf)
    (derived,) = rows.of_labwares(warehouses.labwhere_url, {silent, scanned, 999})
    assert [row.labware_barcode for row in derived.rows] == ["DN2"] and derived.ids == {"DN2": scanned}
    assert (derived.without_audit, derived.rejected) == (1, [])
    assert derived.checked == {silent, scanned, 999}


def test_the_server_finds_a_barcode_in_any_case(mariadb_warehouses: Warehouses) -> None:
    lab = LabWhere(mariadb_warehouses.labwhere)
    own = lab.labware("DN1a")
    lab.labware("DN2A")
    assert rows.with_barcodes(mariadb_warehouses.labwhere_url, ["dn1A", "DN3"]) == {own: "DN1a"}
