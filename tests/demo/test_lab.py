"""The lab at work: what it does, what it does late, and what the truth says of it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from janitor import databases
from janitor.demo import truth
from janitor.demo.lab import SimulatedLab
from janitor.demo.lab_rows import labware_barcode
from janitor.demo.sequencing_deeds import NEW_RUN_SAMPLES
from tests.fixtures import NOW, Warehouses

ALWAYS = date(2000, 1, 1)


@pytest.fixture
def lab(sqlite_warehouses: Warehouses) -> Iterator[SimulatedLab]:
    yield at_work(sqlite_warehouses)
    databases.dispose()


def at_work(warehouses: Warehouses) -> SimulatedLab:
    warehouses.fill(labwares=120, runs=2, products=8)
    return SimulatedLab(warehouses.labwhere_url, warehouses.mlwh_url, warehouses.events_url, seed=3)


def work(lab: SimulatedLab, steps: int) -> None:
    for step in range(steps):
        lab.step(NOW + timedelta(seconds=0.4 * step))


def ids(engine: Engine, statement: str) -> list[int]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(statement).scalars())


def test_a_lab_does_a_bit_of_everything(warehouses: Warehouses) -> None:
    lab = at_work(warehouses)
    work(lab, 60)
    assert lab.done.keys() == {
        "scans",
        "scans out",
        "boxes moved",
        "labwares registered",
        "labwares deleted",
        "broken rows",
        "broken rows mended",
        "late commits begun",
        "late scans committed",
        "late statuses committed",
        "runs started",
        "statuses set",
        "late parts",
    }
    databases.dispose()


def test_an_id_taken_early_is_committed_late(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    seen: list[int] = []
    audits = "SELECT id FROM audits ORDER BY id"
    for step in range(60):
        lab.step(NOW + timedelta(seconds=0.4 * step))
        seen += sorted(set(ids(sqlite_warehouses.labwhere, audits)) - set(seen))
    late = [own for own, before in zip(seen[1:], seen, strict=False) if own < before]
    assert len(late) == lab.done["late scans committed"] > 0


def test_no_labware_is_lost_by_moving_it(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    before = truth.locations(sqlite_warehouses.labwhere_url).keys()
    work(lab, 60)
    after = truth.locations(sqlite_warehouses.labwhere_url).keys()
    assert len(before - after) <= lab.done["broken rows"] + lab.done["labwares deleted"]
    registered = {barcode for barcode in after if barcode.startswith("NEW")}
    assert len(registered) == lab.done["labwares registered"]


def test_a_lab_ends_what_it_has_begun(lab: SimulatedLab) -> None:
    work(lab, 30)
    begun = lab.done["late commits begun"]
    assert begun > lab.done["late scans committed"] + lab.done["late statuses committed"]
    assert list(lab.finish(NOW)) != []
    assert begun == lab.done["late scans committed"] + lab.done["late statuses committed"]
    assert list(lab.finish(NOW)) == []


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


def test_broken_parts_call_for_no_message_yet(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    moment = NOW
    while "fills in the manifest of run 47003" not in lab.step(moment).words:
        moment += timedelta(seconds=0.4)
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, ALWAYS)
    assert len({message[3] for message in found if message[1] == 47003}) == NEW_RUN_SAMPLES - 2


def test_the_latest_manifest_update_counts(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=50, runs=24, products=8)
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, ALWAYS)
    databases.dispose()
    held = {int(str(message[3]).split()[-1]): message[4] for message in found}
    assert {held[sample] for sample in held if 96 < sample <= 144} == {labware_barcode(9)}
    assert {held[sample] for sample in held if 48 < sample <= 96} == {labware_barcode(4)}


def test_parts_that_come_late_call_for_more_messages(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    urls = (sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url)
    first = truth.messages(*urls, ALWAYS)
    work(lab, 60)
    new = {message for message in truth.messages(*urls, ALWAYS) - first if message[1] == 47003}
    assert {message[4] for message in new} == {"PL47003"}
    assert {message[6] for message in new} == {None, "/seq/illumina/runs/47/47003"}


def test_no_status_before_the_day_calls_for_a_message(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    work(lab, 30)
    since = NOW.date()
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, since)
    assert found
    assert min(message[0] for message in found).date() == since
