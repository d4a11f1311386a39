"""What ought to be there: the plainest answers, from the whole of each warehouse."""

from datetime import date

from janitor import databases
from janitor.demo import truth
from janitor.demo.lab import SimulatedLab
from janitor.demo.lab_rows import labware_barcode
from tests.demo.at_work import work
from tests.fixtures import NOW, Warehouses

ALWAYS = date(2000, 1, 1)


def test_the_latest_manifest_update_counts(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=50, runs=24, products=8)
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, ALWAYS)
    databases.dispose()
    held = {int(str(message[3]).split()[-1]): message[4] for message in found}
    assert {held[sample] for sample in held if 96 < sample <= 144} == {labware_barcode(9)}
    assert {held[sample] for sample in held if 48 < sample <= 96} == {labware_barcode(4)}


def test_no_status_before_the_day_calls_for_a_message(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    work(lab, 30)
    since = NOW.date()
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, since)
    assert found
    assert min(message[0] for message in found).date() == since


def test_a_labware_without_a_login_or_a_place_is_left_out(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=40, runs=0)
    first, second, third = list(truth.locations(sqlite_warehouses.labwhere_url))[:3]
    with sqlite_warehouses.labwhere.begin() as connection:
        nowhere = f"UPDATE labwares SET location_id = NULL, coordinate_id = NULL WHERE barcode = '{first}'"
        connection.exec_driver_sql(nowhere)
        own = f"(SELECT id FROM labwares WHERE barcode = '{second}')"
        connection.exec_driver_sql(f"UPDATE audits SET user_id = 41 WHERE auditable_id = {own}")
    found = truth.locations(sqlite_warehouses.labwhere_url)
    databases.dispose()
    assert first not in found and second not in found and third in found
