"""Which row is written if several meet.

Given: stored rows, of this owner and of others.
What happens: rows are written whose keys are the same to the table, or are stored already.
What must hold: the newest row stays, rows of other owners stay as they are, each refused row is told with a reason.
"""

from datetime import datetime, timedelta

import pytest

from janitor.table_sink import Compared, Refused, Written
from tests.fixtures import Warehouses
from tests.table_sink.places import NOW, THEN, Place, add_foreign, keys_in, places, sink, stored


def test_rows_of_other_owners_are_not_touched(warehouses: Warehouses) -> None:
    add_foreign(warehouses.mlwh, Place("DN1", stored_at=datetime(2020, 1, 1)), Place("DN2"))
    before = stored(warehouses.mlwh)
    target = sink(warehouses.mlwh_url)
    written = target.write([Place("DN1"), Place("DN3")], NOW)
    reason = "labware_barcode 'DN1' has a row of lims_id 'SQSCP', which stays as it is"
    assert written == Written(inserted=1, refused=(Refused("DN1", reason),))
    after = stored(warehouses.mlwh)
    assert after.keys() == {"DN1", "DN2", "DN3"}
    assert {key: after[key] for key in before} == before
    assert keys_in(target) == ["DN3"]
    assert target.delete(["DN1", "DN2", "DN3", "DN4"]) == 1
    assert stored(warehouses.mlwh) == before


def test_an_older_row_never_replaces_a_newer(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    target.write([Place(stored_at=THEN)], THEN)
    older = Place(stored_at=THEN - timedelta(microseconds=1), stored_by="zz9")
    assert target.compare([older]) == Compared(older=1)
    assert target.write([older], NOW) == Written(older=1)
    assert places(warehouses.mlwh) == {Place(stored_at=THEN)}
    equal = Place(stored_at=THEN, stored_by="zz9")
    assert target.write([equal], NOW) == Written(updated=1)
    assert places(warehouses.mlwh) == {equal}


TWIN = "labware_barcode {!r} is the same key as {!r} to the table, and the newest was kept"


@pytest.mark.parametrize("there", [None, "DN1", "dn1", "DN1 "])
def test_of_twin_keys_the_newest_is_kept(mariadb_warehouses: Warehouses, there: str | None) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    if there:
        target.write([Place(there, stored_by="old", stored_at=datetime(2020, 1, 1))], THEN)
    rows = [Place("dn1", stored_at=THEN), Place("DN1 ", stored_at=NOW), Place("DN1"), Place("DN2")]
    written = target.write(rows, NOW)
    assert (written.inserted, written.updated) == ((1, 1) if there else (2, 0))
    assert set(written.refused) == {
        Refused("dn1", TWIN.format("dn1", "DN1 ")),
        Refused("DN1", TWIN.format("DN1", "DN1 ")),
    }
    assert places(mariadb_warehouses.mlwh) == {Place("DN1 ", stored_at=NOW), Place("DN2")}
    again = target.write(rows, NOW)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 2)


def test_equally_new_twins_do_not_take_turns(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    rows = [Place("dn1"), Place("DN1")]
    assert target.write(rows, THEN).refused == (Refused("dn1", TWIN.format("dn1", "DN1")),)
    before = stored(mariadb_warehouses.mlwh)
    for order in (rows, rows[::-1]):
        assert target.write(order, NOW) == Written(unchanged=1, refused=(Refused("dn1", TWIN.format("dn1", "DN1")),))
    assert stored(mariadb_warehouses.mlwh) == before


def test_a_key_given_twice_is_written_once(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    written = target.write([Place("DN1"), Place("DN1"), Place("DN1", stored_at=NOW)], NOW)
    reason = "labware_barcode 'DN1' came more than once, and the newest was kept"
    assert (written.inserted, written.refused) == (1, (Refused("DN1", reason),))
    assert places(warehouses.mlwh) == {Place("DN1", stored_at=NOW)}


def test_twins_have_a_column_of_their_own_to_decide(mariadb_warehouses: Warehouses) -> None:
    # Given: of one key the last row counts, and of two keys that are the same to the table the newest.
    target = sink(mariadb_warehouses.mlwh_url, newer=None, twins_by="stored_at")
    target.write([Place("DN1", stored_at=NOW)], THEN)
    assert target.write([Place("dn1", stored_at=THEN)], NOW) == Written(
        refused=(Refused("dn1", TWIN.format("dn1", "DN1")),)
    )
    assert target.write([Place("DN1", stored_at=THEN)], NOW) == Written(updated=1)
    assert target.write([Place("dn1", stored_at=NOW)], NOW) == Written(updated=1)
    assert places(mariadb_warehouses.mlwh) == {Place("dn1", stored_at=NOW)}
