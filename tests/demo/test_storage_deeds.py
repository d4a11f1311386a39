"""What the lab does with its labware, as the truth sees it."""

import random
from datetime import timedelta

import pytest

from janitor.demo import truth
from janitor.demo.deeds import Agenda
from janitor.demo.lab import SimulatedLab
from janitor.demo.storage_deeds import AGAIN_SECONDS, LATE_SECONDS, StorageDeeds
from janitor.demo.storage_rows import NOBODY, UNKNOWN_LOCATION
from tests.demo.at_work import one, rows
from tests.fixtures import NOW, Warehouses


def test_a_labware_is_where_it_was_scanned_last(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    before = truth.locations(sqlite_warehouses.labwhere_url)
    lab.storage.scan(NOW)
    after = truth.locations(sqlite_warehouses.labwhere_url)
    moved = [row for barcode, row in after.items() if before.get(barcode) != row]
    assert moved
    assert {row[7] for row in moved} == {"2026-07-01 12:00:00"}


def test_a_box_takes_its_labwares_along(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    before = truth.locations(sqlite_warehouses.labwhere_url)
    deed = lab.storage.move_box(NOW)
    after = truth.locations(sqlite_warehouses.labwhere_url)
    moved = [barcode for barcode in after if before[barcode] != after[barcode]]
    assert moved
    assert all(deed.words.endswith(after[barcode][1]) for barcode in moved)
    assert [after[barcode][7] for barcode in moved] == [before[barcode][7] for barcode in moved]


@pytest.fixture
def agenda() -> Agenda:
    """Give an agenda with nothing to do."""
    return Agenda()


@pytest.fixture
def deeds(sqlite_warehouses: Warehouses, agenda: Agenda) -> StorageDeeds:
    """Give deeds on a lab of 40 labwares."""
    sqlite_warehouses.fill(labwares=40, runs=0)
    return StorageDeeds(sqlite_warehouses.labwhere_url, random.Random(3), agenda)


LAST = "SELECT auditable_id, user_id FROM audits ORDER BY id DESC LIMIT 1"


def test_a_labware_scanned_out_stands_in_the_unknown_location(
    deeds: StorageDeeds, sqlite_warehouses: Warehouses
) -> None:
    barcode = deeds.scan_out(NOW).words.split()[1]
    where = f"SELECT location_id, coordinate_id FROM labwares WHERE barcode = '{barcode}'"
    assert rows(sqlite_warehouses.labwhere, where) == [(UNKNOWN_LOCATION, None)]


def test_a_new_labware_has_a_place_and_an_audit(deeds: StorageDeeds, sqlite_warehouses: Warehouses) -> None:
    assert deeds.register(NOW).words == "registers NEW000041"
    assert rows(sqlite_warehouses.labwhere, LAST) == [(41, 4)]
    assert "NEW000041" in truth.locations(sqlite_warehouses.labwhere_url)


def test_a_deleted_labware_stands_nowhere(deeds: StorageDeeds, sqlite_warehouses: Warehouses) -> None:
    barcode = deeds.delete(NOW).words.split()[1]
    gone = f"SELECT location_id, coordinate_id, deleted_at FROM labwares WHERE barcode = '{barcode}'"
    assert rows(sqlite_warehouses.labwhere, gone) == [(None, None, "2026-07-01 12:00:00")]
    assert barcode not in truth.locations(sqlite_warehouses.labwhere_url)


def test_a_late_scan_is_committed_after_a_higher_id(
    deeds: StorageDeeds, agenda: Agenda, sqlite_warehouses: Warehouses
) -> None:
    newest = int(str(one(sqlite_warehouses.labwhere, "SELECT MAX(id) FROM audits")))
    assert f"as audit {newest + 1}, and does not commit" in deeds.scan_late(NOW).words
    deeds.register(NOW)
    late = f"SELECT COUNT(*) FROM audits WHERE id = {newest + 1}"
    assert one(sqlite_warehouses.labwhere, late) == 0
    act = agenda.take(NOW + timedelta(seconds=LATE_SECONDS))
    assert act is not None and f"late: audit {newest + 2} was there before it" in act(NOW).words
    assert one(sqlite_warehouses.labwhere, late) == 1


def test_a_scan_by_nobody_is_mostly_mended_later(
    deeds: StorageDeeds, agenda: Agenda, sqlite_warehouses: Warehouses
) -> None:
    while (act := agenda.take(NOW + timedelta(seconds=AGAIN_SECONDS))) is None:
        broken = deeds.scan_by_nobody(NOW)
        assert rows(sqlite_warehouses.labwhere, LAST)[0][1] == NOBODY
    barcode = broken.words.split()[1]
    assert barcode not in truth.locations(sqlite_warehouses.labwhere_url)
    assert act(NOW).words == f"scans {barcode} again, with a login"
    assert barcode in truth.locations(sqlite_warehouses.labwhere_url)
