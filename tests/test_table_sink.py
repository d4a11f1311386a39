"""The table sink against real tables: what is written, what is left alone, what is refused."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, MetaData, Table, create_engine, event, insert, select

from janitor import databases
from janitor.databases import Limits
from janitor.errors import Cancelled, Rejected, StatementTimeout
from janitor.runs import Run, running
from janitor.table_sink import CHUNK_ROWS, Compared, Refused, TableSink, Written
from tests.fixtures import Warehouses
from tests.servers import SqlServer

THEN = datetime(2026, 7, 1, 12, 0, 0, 123456)
NOW = datetime(2026, 7, 2, 12, 0, 0, 654321)


class Place(NamedTuple):
    """A row of labware_location as the task makes it."""

    labware_barcode: Any = "DN1"
    location_barcode: Any = "lw-shelf-7"
    full_location_address: Any = "Sanger / Ogilvie / Shelf 7"
    coordinate_position: Any = None
    coordinate_row: Any = None
    coordinate_column: Any = None
    stored_by: Any = "ab12"
    stored_at: Any = datetime(2026, 6, 1, 9, 30)
    location_name: Any = "Shelf 7"


def sink(url: URL, **changes: Any) -> TableSink:
    options: dict[str, Any] = {
        "table": "labware_location",
        "key": "labware_barcode",
        "columns": Place._fields,
        "owner": {"lims_id": "LabWhere"},
        "newer": "stored_at",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    return TableSink(url, **(options | changes))


def table(engine: Engine, name: str = "labware_location") -> Table:
    return Table(name, MetaData(), autoload_with=engine)


def stored(engine: Engine) -> dict[str, dict[str, Any]]:
    """All rows of the target, whoever owns them, by their barcode."""
    with engine.connect() as connection:
        found = connection.execute(select(table(engine))).mappings()
        return {row["labware_barcode"]: dict(row) for row in found}


def places(engine: Engine) -> set[Place]:
    return {Place(*(row[name] for name in Place._fields)) for row in stored(engine).values()}


def add_foreign(engine: Engine, *rows: Place) -> None:
    foreign = [row._asdict() | {"lims_id": "SQSCP", "created_at": THEN, "updated_at": THEN} for row in rows]
    with engine.begin() as connection:
        connection.execute(insert(table(engine)), foreign)


def next_id(warehouses: Warehouses) -> int:
    """What AUTO_INCREMENT would give to the next row, seen by adding one and taking it back."""
    with warehouses.mlwh.connect() as connection, connection.begin() as transaction:
        made = connection.execute(insert(table(warehouses.mlwh)), _probe()).inserted_primary_key
        transaction.rollback()
    return int(made[0])


def _probe() -> dict[str, Any]:
    return Place("probe")._asdict() | {"lims_id": "probe", "created_at": THEN, "updated_at": THEN}


@pytest.fixture(autouse=True)
def fresh_engines() -> Iterator[None]:
    databases.configure(Limits(statement_seconds=20))
    yield
    databases.configure(Limits())


NASTY = ["", " ", "x ", "x", "X", "'", '"', "\\", '\\"', "a'b\"c\\d\n\t\r", "%s %(a)s %%", "\x00", "\x1a", "\x1f\x1e", "N", "V"]
NASTY += ["],[", "),(", "é", "É", "ß", "ﬀ", "\u2028", "\ufffe", "\x7f\x80", "\\u0041", "` -- /* #", ":name", "u" * 255]
texts = st.sampled_from(NASTY) | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=30)
numbers = st.none() | st.integers(-(2**31), 2**31 - 1)
instants = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))


def row_sets() -> st.SearchStrategy[list[Place]]:
    row = st.builds(
        Place, st.integers(1, 12).map("DN{}".format), texts, texts, numbers, numbers, numbers, texts, instants, texts
    )
    return st.lists(row, max_size=12, unique_by=lambda one: one.labware_barcode)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert [key for page in target.keys(3) for key in page] == [row["labware_barcode"] for row in _by_id(warehouses)]


def _by_id(warehouses: Warehouses) -> list[dict[str, Any]]:
    return sorted(stored(warehouses.mlwh).values(), key=lambda row: int(row["id"]))


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
    assert list(target.keys()) == [["DN3"]]
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


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"location_name": None}, "location_name is missing (NULL), and the table needs it"),
        ({"location_name": "é" * 256}, "location_name has 256 characters, where the table holds at most 255"),
        (
            {"coordinate_row": 2**31},
            "coordinate_row 2147483648 is outside what the table can hold, -2147483648 to 2147483647",
        ),
        ({"coordinate_row": "A"}, "coordinate_row is 'A' (str), where the table holds whole numbers"),
        ({"stored_at": "yesterday"}, "stored_at is 'yesterday' (str), where the table holds instants"),
        ({"stored_by": 7}, "stored_by is 7 (int), where the table holds text"),
        (
            {"stored_by": "a\ud800"},
            "stored_by contains '\\ud800' (U+D800), which the table's character set {charset} cannot hold",
        ),
        (
            {"stored_by": None, "location_name": None},
            "stored_by is missing (NULL), and the table needs it; "
            "location_name is missing (NULL), and the table needs it",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(warehouses: Warehouses, changes: dict[str, Any], reason: str) -> None:
    target = sink(warehouses.mlwh_url)
    bad = Place("BAD")._replace(**changes)
    written = target.write([Place("DN1"), bad, Place("DN2")], NOW)
    charset = "utf8mb3" if warehouses.server else "utf8mb4"
    assert written == Written(inserted=2, refused=(Refused("BAD", reason.replace("{charset}", charset)),))
    assert places(warehouses.mlwh) == {Place("DN1"), Place("DN2")}


def test_a_row_without_key_is_refused(warehouses: Warehouses) -> None:
    written = sink(warehouses.mlwh_url).write([Place(None), Place("DN2")], NOW)
    assert written.inserted == 1
    assert written.refused == (Refused(None, "labware_barcode is missing (NULL), and the table needs it"),)


def test_emoji_is_refused_where_it_cannot_be_held(mariadb_warehouses: Warehouses) -> None:
    written = sink(mariadb_warehouses.mlwh_url).write([Place("😀1"), Place("DN2", stored_by="é😀")], NOW)
    tail = "contains '😀' (U+1F600), which the table's character set utf8mb3 cannot hold"
    assert [one.reason for one in written.refused] == [f"labware_barcode {tail}", f"stored_by {tail}"]
    assert not stored(mariadb_warehouses.mlwh)


@pytest.mark.parametrize("change", [{"labware_barcode": "dn1"}, {"stored_by": "AB12"}, {"location_name": "Shelf 7 "}])
def test_case_and_trailing_space_are_changes(mariadb_warehouses: Warehouses, change: dict[str, str]) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    target.write([Place("DN1")], THEN)
    before = stored(mariadb_warehouses.mlwh)["DN1"]
    changed = Place("DN1")._replace(**change)
    assert target.write([changed], NOW) == Written(updated=1)
    (after,) = stored(mariadb_warehouses.mlwh).values()
    assert after == before | change | {"updated_at": NOW}
    assert target.write([changed], NOW) == Written(unchanged=1)


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


def test_only_new_rows_move_auto_increment(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    rows = [Place(f"DN{number}") for number in range(2 * CHUNK_ROWS + 7)]
    assert target.write(rows, THEN).inserted == len(rows)
    assert [row["id"] for row in _by_id(mariadb_warehouses)] == list(range(1, len(rows) + 1))
    target.write(rows, NOW)
    target.write([row._replace(stored_by="zz9") for row in rows[:50]], NOW)
    target.compare([*rows, Place("NEW")])
    assert next_id(mariadb_warehouses) == len(rows) + 1


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


def test_filling_goes_on_where_keys_are_there(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    rows = [Place(f"DN{number}") for number in range(4 * CHUNK_ROWS)]
    there = rows[2 * CHUNK_ROWS + 5 : 3 * CHUNK_ROWS + 5]
    target.write(there[1:], THEN)
    target.write([there[0]._replace(stored_at=NOW)], THEN)
    written = target.write(rows, NOW, mostly_new=True)
    assert written == Written(inserted=3 * CHUNK_ROWS, unchanged=CHUNK_ROWS - 1, older=1)
    assert places(warehouses.mlwh) == {*rows, there[0]._replace(stored_at=NOW)} - {there[0]}


def test_aware_instants_are_stored_in_utc(warehouses: Warehouses) -> None:
    from zoneinfo import ZoneInfo

    noon = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/London"))
    target = sink(warehouses.mlwh_url)
    target.write([Place(stored_at=noon)], noon)
    (row,) = stored(warehouses.mlwh).values()
    assert row["stored_at"] == row["created_at"] == row["updated_at"] == datetime(2026, 7, 1, 11)
    assert target.write([Place(stored_at=datetime(2026, 7, 1, 11))], NOW) == Written(unchanged=1)


def test_a_failing_chunk_leaves_the_earlier_ones(mariadb_warehouses: Warehouses) -> None:
    rows = [Place(f"DN{number}") for number in range(CHUNK_ROWS + 10)]
    with mariadb_warehouses.mlwh.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON labware_location FOR EACH ROW "
            f"IF NEW.labware_barcode = '{rows[-1].labware_barcode}' THEN "
            "SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1048, MESSAGE_TEXT = 'not this one'; END IF"
        )
    with pytest.raises(Rejected, match="a row was refused at .*: not this one$"):
        sink(mariadb_warehouses.mlwh_url).write(rows, NOW)
    assert places(mariadb_warehouses.mlwh) == set(rows[:CHUNK_ROWS])


def test_a_run_asked_to_stop_ends_between_chunks(warehouses: Warehouses) -> None:
    run = Run()
    rows = [Place(f"DN{number}") for number in range(CHUNK_ROWS + 1)]

    def stop(*_: Any) -> None:
        run.ask_to_stop(Cancelled("asked to stop"))

    with running(run), statements(("INSERT",), stop), pytest.raises(Cancelled):
        sink(warehouses.mlwh_url).write(rows, NOW)
    assert places(warehouses.mlwh) == set(rows[:CHUNK_ROWS])


@contextmanager
def statements(verbs: tuple[str, ...], seen: Callable[[str], None]) -> Iterator[None]:
    """Call `seen` with each statement that begins with one of these verbs, just before it is sent."""

    def listen(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith(verbs):
            seen(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def test_a_key_added_meanwhile_is_not_overwritten(mariadb_warehouses: Warehouses) -> None:
    added: list[str] = []

    def add(statement: str) -> None:
        if not added:
            added.append(statement)
            add_foreign(mariadb_warehouses.mlwh, Place("DN2"))
            with mariadb_warehouses.mlwh.begin() as connection:
                newer = Place("DN3", stored_at=NOW)._asdict() | {"created_at": THEN, "updated_at": THEN}
                connection.execute(insert(table(mariadb_warehouses.mlwh)), newer | {"lims_id": "LabWhere"})

    with statements(("INSERT INTO `labware_location`",), add):
        written = sink(mariadb_warehouses.mlwh_url).write([Place("DN1"), Place("DN2"), Place("DN3")], NOW)
    assert (written.inserted, written.older, [one.key for one in written.refused]) == (1, 1, ["DN2"])
    after = stored(mariadb_warehouses.mlwh)
    assert (after["DN2"]["lims_id"], after["DN3"]["stored_at"], after["DN1"]["created_at"]) == ("SQSCP", NOW, NOW)


def test_a_deadlock_is_tried_again(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    target.write([Place("DN1"), Place("DN2"), *(Place(f"X{number}") for number in range(50))], THEN)
    other = mariadb_warehouses.mlwh.connect()
    other.begin()
    # More rows changed here than by the sink, so that the server chooses the sink's transaction to end the deadlock.
    other.exec_driver_sql("UPDATE labware_location SET stored_by = 'other' WHERE labware_barcode LIKE 'X%%'")
    other.exec_driver_sql("UPDATE labware_location SET stored_by = 'other' WHERE labware_barcode = 'DN2'")
    locked: list[str] = []

    def deadlock() -> None:
        # Waits for the sink's lock on DN1, while the sink waits for DN2: a deadlock.
        other.exec_driver_sql("UPDATE labware_location SET stored_by = 'other' WHERE labware_barcode = 'DN1'")
        other.commit()

    thread = threading.Thread(target=deadlock)

    def seen(statement: str) -> None:
        locked.append(statement)
        if len(locked) == 2:
            thread.start()
            time.sleep(0.3)

    rows = [Place("DN1", stored_by="sink", stored_at=NOW), Place("DN2", stored_by="sink", stored_at=NOW)]
    with statements(("SELECT `labware_barcode`", "UPDATE `labware_location`"), seen), databases.begin(target.url) as held:
        # The sink's own statements lock DN1 and DN2 at once; here they are split, with the other session between.
        held.exec_driver_sql("SELECT 1 FROM labware_location WHERE labware_barcode = 'DN1' FOR UPDATE")
        locked.append("first")
        thread.start()
        time.sleep(0.3)
        from janitor.database_errors import lost_a_race

        with pytest.raises(Exception) as caught:
            held.exec_driver_sql("SELECT 1 FROM labware_location WHERE labware_barcode = 'DN2' FOR UPDATE")
        assert lost_a_race(caught.value)
        held.rollback()
    thread.join()
    assert target.write(rows, NOW).updated == 2
    other.close()
