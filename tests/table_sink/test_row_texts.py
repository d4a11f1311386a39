"""Rows as texts: equal rows pair, and no others.

Given: rows in a source, on SQLite or MariaDB, and the same rows in the target.
What happens: a row is changed, deleted or added on one side, and both sides are read as texts.
What must hold: only that row is left over, on the side where it is, whatever characters the rows hold.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, create_engine, text

from janitor import databases
from janitor.table_sink import TextPage, Unpaired
from tests.fixtures import Warehouses
from tests.random_inputs import inputs
from tests.servers import SqlServer
from tests.table_sink.places import NOW, THEN, Place, places, sink

ORIGIN = (
    "CREATE TABLE origin (id integer PRIMARY KEY, labware_barcode varchar(255), location_barcode varchar(255), "
    "full_location_address varchar(255), coordinate_position integer, coordinate_row integer, "
    "coordinate_column integer, stored_by varchar(255), stored_at datetime(6), location_name varchar(255))"
)
QUERY = text(f"SELECT id, {', '.join(Place._fields)} FROM origin WHERE id > :after")


@pytest.fixture(params=["sqlite", "mariadb"])
def origin(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[URL]:
    """A source with an empty table of rows such as the target's; on MariaDB its texts are latin1."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path / "origin.db"))
    else:
        server: SqlServer = request.getfixturevalue("mariadb")
        url = server.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql(ORIGIN + ("" if request.param == "sqlite" else " DEFAULT CHARSET=latin1"))
    yield url
    databases.dispose()


def fill(url: URL, rows: list[Place]) -> None:
    """Make the source hold these rows alone, with the ids 1, 2, ..."""
    names = ", ".join(("id", *Place._fields))
    values = ", ".join(f":{name}" for name in ("id", *Place._fields))
    with create_engine(url).begin() as connection:
        connection.execute(text("DELETE FROM origin"))
        for at, row in enumerate(rows, 1):
            moment = row.stored_at if row.stored_at is None else row.stored_at.isoformat(" ", "microseconds")
            found = row._asdict() | {"id": at, "stored_at": moment}
            connection.execute(text(f"INSERT INTO origin ({names}) VALUES ({values})"), found)


def unpaired(target: Any, origin: URL) -> tuple[set[Any], list[int], set[Any]]:
    """The keys of wanted rows that are not stored, the ids of wanted rows apart, and the keys of rows not wanted."""
    left = Unpaired()
    left.want(target.wanted(origin, QUERY, {"after": 0}, "id"))
    for page in target.stored(3):
        left.find(page)
    wanted, stored = left.take_wanted(), left.take_stored()
    return set(target.keys_of(wanted)), list(wanted.apart), {*target.keys_of(stored), *stored.apart}


TEXTS = st.text(st.sampled_from("aA é'\"\\%\n\x00N\x1d:"), max_size=4)
ROWS = st.lists(
    st.builds(
        Place,
        st.text(st.sampled_from("bcé'"), min_size=1, max_size=3),
        TEXTS.filter(bool),
        TEXTS,
        st.none() | st.integers(-9, 9),
        st.none() | st.just(0),
        st.none(),
        TEXTS.filter(bool),
        st.just(THEN),
        TEXTS,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: str(row.labware_barcode).casefold().replace("é", "e"),
)


@pytest.mark.slow
@settings(max_examples=inputs(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, changed=st.integers(0, 7), change=st.sampled_from(["different", "missing", "orphaned"]))
def test_equal_rows_pair_and_no_others(
    warehouses: Warehouses, origin: URL, rows: list[Place], changed: int, change: str
) -> None:
    target = sink(warehouses.mlwh_url)
    with warehouses.mlwh.begin() as connection:
        connection.execute(text("DELETE FROM labware_location"))
    target.write(rows, NOW)
    assert places(warehouses.mlwh) == set(rows)
    fill(origin, rows)
    assert unpaired(target, origin) == (set(), [], set())
    row = rows[changed % len(rows)]
    key = row.labware_barcode
    if change == "different":
        target.write([row._replace(stored_by="other", stored_at=THEN + timedelta(microseconds=1))], NOW)
        assert unpaired(target, origin) == ({key}, [], {key})
    elif change == "missing":
        target.delete([key])
        assert unpaired(target, origin) == ({key}, [], set())
    else:
        fill(origin, [one for one in rows if one is not row])
        assert unpaired(target, origin) == (set(), [], {key})


def test_what_the_target_cannot_hold_stays_apart(warehouses: Warehouses, origin: URL) -> None:
    target = sink(warehouses.mlwh_url)
    fill(origin, [Place("DN1"), Place("DN2", stored_by=None), Place(None), Place("DN3", coordinate_row=None)])
    assert unpaired(target, origin) == ({"DN1", "DN3"}, [2, 3], set())


@pytest.mark.parametrize("separator", ["\x1e", "\x1f"])
def test_pages_with_separators_are_looked_at_row_by_row(warehouses: Warehouses, origin: URL, separator: str) -> None:
    target = sink(warehouses.mlwh_url)
    rows = [Place("DN1"), Place("DN2", location_barcode=f"a{separator}b"), Place("DN3")]
    fill(origin, rows)
    target.write(rows, NOW)
    keys, apart, orphans = unpaired(target, origin)
    assert (keys, apart) == (set(), [1, 2, 3])
    assert {"DN2"} <= orphans <= {"DN1", "DN2", "DN3"}


def test_rows_of_other_owners_are_passed_over(warehouses: Warehouses, origin: URL) -> None:
    fill(origin, [Place("DN1")])
    for number, owner in enumerate(("SQSCP", "labwhere", "LabWhere ")):
        sink(warehouses.mlwh_url, owner={"lims_id": owner}).write([Place(f"DN{number}")], NOW)
    assert unpaired(sink(warehouses.mlwh_url), origin) == ({"DN1"}, [], set())


def test_both_streams_may_come_in_any_order() -> None:
    left = Unpaired()
    left.find(TextPage({"a", "b"}, ["x"]))
    left.want(TextPage({"b", "c"}, [1]))
    left.want(TextPage({"d"}))
    left.find(TextPage({"c", "e"}))
    assert (left.wanted, left.stored) == ({"d"}, {"a", "e"})
    assert left.take_wanted() == TextPage({"d"}, [1])
    assert left.take_stored() == TextPage({"a", "e"}, ["x"])
    assert left == Unpaired()


def test_instants_of_another_precision_are_equal(warehouses: Warehouses, origin: URL) -> None:
    whole = datetime(2026, 7, 1, 12)
    fill(origin, [Place("DN1", stored_at=whole), Place("DN2", stored_at=None)])
    target = sink(warehouses.mlwh_url)
    target.write([Place("DN1", stored_at=whole)], NOW)
    keys, apart, orphans = unpaired(target, origin)
    assert (keys | set(apart), orphans) == ({2}, set())
