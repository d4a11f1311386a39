"""The table sink against real tables: what is written, and what is left alone.

Given: rows in labware_location, and rows that a task made, with any characters in them.
What happens: the task's rows are written or compared, once and again.
What must hold: the table becomes what the task wants, and nothing is written that is stored already.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from janitor.table_sink import Compared, Written
from tests.fixtures import Warehouses
from tests.random_inputs import inputs
from tests.table_sink.places import NOW, THEN, Place, add_foreign, keys_in, places, sink, stored, table, texts

numbers = st.none() | st.integers(-(2**31), 2**31 - 1)
instants = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))


def row_sets() -> st.SearchStrategy[list[Place]]:
    row = st.builds(
        Place, st.integers(1, 12).map("DN{}".format), texts, texts, numbers, numbers, numbers, texts, instants, texts
    )
    return st.lists(row, max_size=12, unique_by=lambda one: one.labware_barcode)


@settings(max_examples=inputs(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=row_sets(), second=row_sets())
def test_the_target_becomes_the_source(warehouses: Warehouses, first: list[Place], second: list[Place]) -> None:
    with warehouses.mlwh.begin() as connection:
        connection.execute(table(warehouses.mlwh).delete())
    target = sink(warehouses.mlwh_url, newer=None)
    assert target.write(first, THEN) == Written(inserted=len(first))
    assert places(warehouses.mlwh) == set(first)
    before = stored(warehouses.mlwh)

    expected = {row.labware_barcode: row for row in first} | {row.labware_barcode: row for row in second}
    same = {row.labware_barcode for row in first} & {row.labware_barcode for row in set(first) & set(second)}
    new = {row.labware_barcode for row in second} - before.keys()
    compared = target.compare(second)
    written = target.write(second, NOW)

    assert written == Written(len(new), len(second) - len(new) - len(same), len(same))
    assert compared == Compared(written.inserted, written.updated, written.unchanged)
    assert places(warehouses.mlwh) == set(expected.values())
    after = stored(warehouses.mlwh)
    for key in before.keys() - {row.labware_barcode for row in second} | same:
        assert after[key] == before[key]
    for key in {row.labware_barcode for row in second} - same:
        assert after[key]["updated_at"] == NOW
        assert after[key]["created_at"] == (NOW if key in new else THEN)
    assert target.write(second, NOW + timedelta(1)) == Written(unchanged=len(second))
    assert stored(warehouses.mlwh) == after


@settings(max_examples=inputs(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(texts, max_size=8, unique=True))
def test_any_key_is_kept_whatever_its_characters(warehouses: Warehouses, keys: list[str]) -> None:
    with warehouses.mlwh.begin() as connection:
        connection.execute(table(warehouses.mlwh).delete())
    target = sink(warehouses.mlwh_url)
    rows = [Place(key, stored_at=THEN + timedelta(seconds=at)) for at, key in enumerate(keys)]
    written = target.write(rows, THEN)
    kept = places(warehouses.mlwh)
    refused = {one.key for one in written.refused}
    assert kept == {row for row in rows if row.labware_barcode not in refused}
    assert written.inserted == len(kept)
    again = target.write(rows, NOW)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, len(kept))
    assert keys_in(target, 3) == sorted(row.labware_barcode for row in kept)


def test_values_that_hold_separators_are_told_apart(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    target.write([Place("DN1", location_barcode="a", full_location_address="b\x1fc")], THEN)
    moved = Place("DN1", location_barcode="a\x1fb", full_location_address="c")
    assert target.write([moved], NOW) == Written(updated=1)
    assert target.write([moved], NOW) == Written(unchanged=1)
    assert places(warehouses.mlwh) == {moved}
    for key in ("a\x1eb", "c\x1fLabWhere"):
        target.write([Place(key)], NOW)
        assert keys_in(target) == sorted(["DN1", key])
        target.delete([key])


def test_values_like_the_ends_of_rows_are_kept(warehouses: Warehouses) -> None:
    rows = [
        Place("DN1", stored_by="a],[b"),
        Place("DN2", stored_by="'],["),
        Place("DN3", stored_by='"],["'),
        Place("DN4"),
    ]
    for chunk in (rows[:1], rows[1:], rows):
        sink(warehouses.mlwh_url).write(chunk, NOW)
        assert places(warehouses.mlwh) >= set(chunk)
    assert places(warehouses.mlwh) == set(rows)


def test_a_stored_value_cannot_pose_as_a_row(warehouses: Warehouses) -> None:
    target, wanted = sink(warehouses.mlwh_url, newer=None), Place("DN2", stored_by="new")
    texts = ["N" if value is None else str(value) for value in wanted]
    texts[Place._fields.index("stored_at")] += ".000000"
    posing = "\x1e".join(["", "\x1f".join([*texts, "LabWhere"]), ""])
    assert len(posing) < 255
    target.write([Place("DN1", stored_by=posing), wanted._replace(stored_by="old")], THEN)
    assert target.write([Place("DN1"), wanted], NOW) == Written(updated=2)
    assert places(warehouses.mlwh) == {Place("DN1"), wanted}


def test_comparing_writes_nothing(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    target.write([Place("DN1"), Place("DN2"), Place("DN3", stored_at=NOW)], THEN)
    add_foreign(warehouses.mlwh, Place("DN5"))
    before = stored(warehouses.mlwh)
    rows = [Place("DN1"), Place("DN2", stored_by="zz9"), Place("DN3"), Place("DN4"), Place("DN5"), Place("DN6", None)]
    compared = target.compare(rows)
    assert (compared.missing, compared.different, compared.unchanged, compared.older) == (1, 1, 1, 1)
    assert [one.key for one in compared.refused] == ["DN6", "DN5"]
    assert stored(warehouses.mlwh) == before


def test_aware_instants_are_stored_in_utc(warehouses: Warehouses) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/London"))
    target = sink(warehouses.mlwh_url)
    target.write([Place(stored_at=noon)], noon)
    (row,) = stored(warehouses.mlwh).values()
    assert row["stored_at"] == row["created_at"] == row["updated_at"] == datetime(2026, 7, 1, 11)
    assert target.write([Place(stored_at=datetime(2026, 7, 1, 11))], NOW) == Written(unchanged=1)
