"""The lab at work: what it does, what it does late, and what the truth says of it."""

from datetime import date, timedelta

from sqlalchemy import Engine

from janitor import databases
from janitor.demo import truth
from janitor.demo.lab import SimulatedLab
from tests.demo.at_work import at_work, work
from tests.fixtures import NOW, Warehouses

ALWAYS = date(2000, 1, 1)


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
