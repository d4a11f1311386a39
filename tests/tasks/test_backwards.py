"""Sources that went backwards: both movements of both tasks fail in words, and write and publish nothing meanwhile."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.feeds import Feed, Position
from janitor.operations import cursor
from janitor.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher
from janitor.tasks.labware_location import rows
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.small_engine import now
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.labware_location.test_failures import failed
from tests.tasks.labware_location.test_sync import position
from tests.tasks.rows import Tables, fill_recently
from tests.tasks.sequencing_publisher.consumer import in_files

WORDS = ("was read up to id", "a backup was restored there", "replica that lags", "--set ID", "--set start")


def test_a_restored_labwhere_changes_no_location(warehouses: Warehouses, state_folder: Path) -> None:
    # Given: a table that equals LabWhere.
    # What happens: a backup is restored there: the newest 500 audits are gone, their labware is where it was before.
    # What must hold: both movements fail and say so; nothing is written or deleted; the two ways on work.
    warehouses.fill(labwares=400, runs=0)
    settings = {**warehouses.environment(), "LABWARE_LOCATION_DELETE_ORPHANS": "true"}
    daemon, lab = Daemon(settings, state_folder), LabWhere(warehouses.labwhere)
    daemon.run(labware_location.follow)
    ids = sorted(row["id"] for row in lab.all("audits", "id"))
    before, at = stored(warehouses.mlwh), position(daemon)
    lab.execute(f"DELETE FROM audits WHERE id > {ids[-501]}")
    labwares = sorted(row["id"] for row in lab.all("labwares", "id"))
    lab.execute(f"DELETE FROM labwares WHERE id > {labwares[200]}")
    lab.execute(f"UPDATE labwares SET location_id = NULL, coordinate_id = NULL WHERE id < {labwares[100]}")
    for task in (labware_location.follow, labware_location.reconcile):
        for dry_run in (False, True):
            failed(daemon.run(task, dry_run=dry_run), f"ends at id {ids[-501]} now", *WORDS)
    assert (stored(warehouses.mlwh), position(daemon)) == (before, at)
    cursor.move(daemon.state, "labware_location", str(ids[-501]), "anna", now(), 30)
    assert daemon.counts(labware_location.follow)["audits"] == 0
    lab.scan(lab.labware("AFTER"), lab.user(), lab.location("after the restore"))
    assert daemon.counts(labware_location.follow)["audits"] == 1
    assert stored(warehouses.mlwh)["AFTER"]["location_name"] == "after the restore"
    cursor.move(daemon.state, "labware_location", cursor.START, "anna", now(), 30)
    daemon.counts(labware_location.follow)
    known = expected(warehouses.labwhere).rows
    assert {barcode: row for barcode, row in stored(warehouses.mlwh).items() if barcode in known} == known
    daemon.close()


def test_a_labwhere_restored_between_two_pages_is_noticed(
    warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a reconcile that has walked both tables, and has found a difference.
    # What happens: before it reads the difference anew, its source goes back.
    # What must hold: it fails, and writes nothing.
    daemon, lab = Daemon(warehouses.environment(), state_folder), LabWhere(warehouses.labwhere)
    user, shelf = lab.user(), lab.location("Shelf")
    audits = [lab.scan(lab.labware(f"DN{number}"), user, shelf) for number in range(5)]
    daemon.run(labware_location.follow)
    Tables(warehouses.mlwh).change("labware_location", {"labware_barcode": "DN3"}, location_name="by hand")
    before = stored(warehouses.mlwh)

    def restored(*_: object) -> None:
        lab.execute(f"DELETE FROM audits WHERE id > {audits[2]}")

    monkeypatch.setattr(labware_location.sync.Sync, "_between_pages", restored)
    failed(daemon.run(labware_location.reconcile), f"ends at id {audits[2]} now", *WORDS)
    assert stored(warehouses.mlwh) == before
    daemon.close()


def all_published(warehouses: Warehouses, state_folder: Path, folder: Path) -> tuple[Daemon, list[dict[str, Any]]]:
    """A daemon that has published all statuses into a folder, and the newest three of them."""
    fill_recently(warehouses, runs=4, products=8)
    settings = {**warehouses.environment(), "MESSAGES_DIR": str(folder), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(settings, state_folder)
    assert daemon.counts(sequencing_publisher.follow)["published"] > 0
    names = ("id_run_status", "id_run", "date", "id_run_status_dict")
    statuses = Tables(warehouses.mlwh).all("iseq_run_status", *names)
    return daemon, sorted(statuses, key=lambda row: row["id_run_status"])[-3:]


def test_a_restored_warehouse_is_published_from_no_more(
    warehouses: Warehouses, state_folder: Path, tmp_path: Path
) -> None:
    # Given: all statuses are published.
    # What happens: the newest are gone; then other statuses have their ids.
    # What must hold: both movements fail and publish nothing; after the cursor is set, the new ones are published.
    folder, mlwh = tmp_path / "messages", Tables(warehouses.mlwh)
    daemon, gone = all_published(warehouses, state_folder, folder)
    published = in_files(folder)
    last = gone[0]["id_run_status"] - 1
    mlwh.execute(f"DELETE FROM iseq_run_status WHERE id_run_status > {last}")
    for task in (sequencing_publisher.follow, sequencing_publisher.reconcile):
        failed(daemon.run(task), f"ends at id {last} now", *WORDS)
    for row in gone:
        mlwh.add("iseq_run_status", **{**row, "id_run_status_dict": 99, "iscurrent": 1})
    for task in (sequencing_publisher.follow, sequencing_publisher.reconcile):
        failed(daemon.run(task), "has another row at id", "its ids were given anew")
    assert in_files(folder) == published
    cursor.move(daemon.state, "sequencing_publisher", str(last), "anna", now(), 30)
    assert daemon.counts(sequencing_publisher.follow)["statuses"] == 3
    assert sum(in_files(folder).values()) > sum(published.values())
    daemon.close()


@pytest.mark.parametrize("task", [labware_location.follow, labware_location.reconcile])
def test_a_labwhere_restored_while_it_is_read_is_noticed(
    task: Callable[[Settings], object], warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a labware that was moved. What happens: while its place is read, its source goes back.
    # What must hold: the run fails, and writes nothing.
    daemon, lab = Daemon(warehouses.environment(), state_folder), LabWhere(warehouses.labwhere)
    user, shelf = lab.user(), lab.location("Shelf")
    audits = [lab.scan(lab.labware(f"DN{number}"), user, shelf) for number in range(5)]
    daemon.run(labware_location.follow)
    before, read = stored(warehouses.mlwh), rows.of_labwares
    lab.scan(lab.all("labwares", "id")[0]["id"], user, lab.location("Freezer"))

    def restored(url: URL, ids: Collection[int]) -> Any:
        if ids:
            lab.execute(f"DELETE FROM audits WHERE id > {audits[2]}")
        return read(url, ids)

    monkeypatch.setattr(rows, "of_labwares", restored)
    failed(daemon.run(task), f"ends at id {audits[2]} now", *WORDS)
    assert stored(warehouses.mlwh) == before
    daemon.close()


def test_a_warehouse_restored_while_it_is_read_is_noticed(
    warehouses: Warehouses, state_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: all statuses are published. What happens: while they are read anew, other statuses get their ids.
    # What must hold: both movements fail, and publish nothing.
    folder, mlwh = tmp_path / "messages", Tables(warehouses.mlwh)
    daemon, newest = all_published(warehouses, state_folder, folder)
    published, checked = in_files(folder), Feed.check
    first, last = newest[0]["id_run_status"], newest[-1]["id_run_status"]

    def give_anew(feed: Feed, position: Position) -> None:
        checked(feed, position)
        monkeypatch.setattr(Feed, "check", checked)
        mlwh.execute(f"DELETE FROM iseq_run_status WHERE id_run_status >= {first}")
        for row in newest:
            for id in (row["id_run_status"], row["id_run_status"] + last):
                mlwh.add("iseq_run_status", **{**row, "id_run_status": id, "id_run_status_dict": 99, "iscurrent": 1})

    def put_back() -> None:
        mlwh.execute(f"DELETE FROM iseq_run_status WHERE id_run_status >= {first}")
        for row in newest:
            mlwh.add("iseq_run_status", **row, iscurrent=1)

    for task in (sequencing_publisher.follow, sequencing_publisher.reconcile):
        monkeypatch.setattr(Feed, "check", give_anew)
        failed(daemon.run(task), "has another row at id", "its ids were given anew")
        put_back()
    assert in_files(folder) == published
    daemon.close()


def test_a_status_whose_date_is_corrected_is_no_sign(
    sqlite_warehouses: Warehouses, state_folder: Path, tmp_path: Path
) -> None:
    fill_recently(sqlite_warehouses, runs=2, products=4)
    settings = {**sqlite_warehouses.environment(), "MESSAGES_DIR": str(tmp_path / "messages")}
    daemon = Daemon(settings, state_folder)
    daemon.counts(sequencing_publisher.follow)
    Tables(sqlite_warehouses.mlwh).execute("UPDATE iseq_run_status SET date = '2026-01-01 00:00:00'")
    assert daemon.counts(sequencing_publisher.follow)["statuses"] == 0
    daemon.close()
