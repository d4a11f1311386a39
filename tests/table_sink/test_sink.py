"""The table sink against real tables: what is written, what is left alone, what is refused."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Connection, Engine, MetaData, Table, create_engine, event, insert, select

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


def keys_in(target: TableSink, page_rows: int = 5000) -> list[Any]:
    """The keys of all of the owner's rows, by the sink's own walk."""
    return sorted(key for page in target.stored(page_rows) for key in (*target.keys_of(page), *page.apart))


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
        made = connection.execute(insert(table(warehouses.mlwh)), _probe()).lastrowid
        transaction.rollback()
    return int(made)


def _probe() -> dict[str, Any]:
    return Place("probe")._asdict() | {"lims_id": "probe", "created_at": THEN, "updated_at": THEN}


@pytest.fixture(autouse=True)
def fresh_engines() -> Iterator[None]:
    databases.configure(Limits(statement_seconds=20))
    yield
    databases.configure(Limits())


NASTY = [
    "",
    " ",
    "x ",
    "x",
    "X",
    "'",
    '"',
    "\\",
    '\\"',
    "a'b\"c\\d\n\t\r",
    "%s %(a)s %%",
    "\x00",
    "\x1a",
    "\x1f\x1e",
    "N",
    "V",
]
NASTY += ["],[", "),(", "é", "É", "ß", "ﬀ", "\u2028", "\ufffe", "\x7f\x80", "\\u0041", "` -- /* #", ":name", "u" * 255]
texts = st.sampled_from(NASTY) | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=30)
numbers = st.none() | st.integers(-(2**31), 2**31 - 1)
instants = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))


def row_sets() -> st.SearchStrategy[list[Place]]:
    row = st.builds(
        Place, st.integers(1, 12).map("DN{}".format), texts, texts, numbers, numbers, numbers, texts, instants, texts
    )
    return st.lists(row, max_size=12, unique_by=lambda one: one.labware_barcode)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"location_name": None}, "location_name is missing (NULL), and the table needs it"),
        ({"location_name": "é" * 256}, "location_name has 256 characters, where the table holds at most 255"),
        (
            {"coordinate_row": 2**63},
            "coordinate_row 9223372036854775808 is outside what the table can hold, {range}",
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
    # SQLite's own INTEGER has 64 bits, and its text holds everything.
    bits, charset = (32, "utf8mb3") if warehouses.server else (64, "utf8mb4")
    reason = reason.replace("{charset}", charset).replace("{range}", f"{-(2 ** (bits - 1))} to {2 ** (bits - 1) - 1}")
    assert written == Written(inserted=2, refused=(Refused("BAD", reason),))
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


def test_a_deadlock_is_tried_again(mariadb_warehouses: Warehouses, caplog: pytest.LogCaptureFixture) -> None:
    target, engine = sink(mariadb_warehouses.mlwh_url), mariadb_warehouses.mlwh
    target.write([Place("DN1"), Place("DN2"), *(Place(f"X{number}") for number in range(50))], THEN)
    rows = [Place("DN1", stored_by="sink", stored_at=NOW), Place("DN2", stored_by="sink", stored_at=NOW)]
    with ThreadPoolExecutor(1) as pool, engine.connect() as other:
        # The other session has changed more than the sink, so it is the sink that the server makes give way.
        change(other, "LIKE 'X%%'")
        change(other, "= 'DN2'")
        written = pool.submit(target.write, rows, NOW)
        until_waiting(mariadb_warehouses.server)
        change(other, "= 'DN1'")
        other.commit()
        assert written.result() == Written(updated=2)
    assert "lost a race, attempt 1 of 5" in caplog.text
    assert places(engine) >= set(rows)


def change(connection: Connection, barcodes: str) -> None:
    connection.exec_driver_sql(f"UPDATE labware_location SET stored_by = 'other' WHERE labware_barcode {barcodes}")


def until_waiting(server: SqlServer | None) -> None:
    """Return once a session on the server waits for a row's lock."""
    assert server is not None
    for _ in range(500):
        if server.execute("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"):
            return
        time.sleep(0.02)
    pytest.fail("no session waits for a lock")


def test_a_lock_on_the_target_ends_in_words(warehouses: Warehouses) -> None:
    target = sink(warehouses.mlwh_url)
    target.write([Place("DN1"), Place("DN2")], THEN)
    databases.configure(Limits(statement_seconds=1))
    with warehouses.mlwh.connect() as other:
        if warehouses.server is None:
            other.exec_driver_sql("BEGIN IMMEDIATE")
        change(other, "= 'DN2'")
        started = time.monotonic()
        with pytest.raises(StatementTimeout, match="time limit|waited too long for a lock"):
            target.write([Place("DN1", stored_by="sink"), Place("DN2", stored_by="sink"), Place("DN3")], NOW)
        assert time.monotonic() - started < 10
        other.rollback()
    assert places(warehouses.mlwh) == {Place("DN1"), Place("DN2")}


def test_each_statement_finds_its_rows_by_an_index(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    rows = [Place(f"DN{number:06d}") for number in range(30_000)]
    target.write(rows, THEN, mostly_new=True)
    databases.dispose()
    seen: list[str] = []
    page = [*(row._replace(stored_by="zz9", stored_at=NOW) for row in rows[::15]), Place("dn000007", stored_at=NOW)]
    with statements(("SELECT", "UPDATE", "DELETE"), seen.append):
        assert target.write(page, NOW).updated == 2001
        assert target.write([Place("new"), Place("dn000007", stored_at=NOW)], NOW).inserted == 1
        assert target.compare(page).unchanged == 2001
        assert len(list(target.stored(5000))) == 7
        assert target.delete([row.labware_barcode for row in rows[:2000]]) == 2000
    explained = [statement for statement in seen if "`labware_location`" in statement]
    assert len(explained) > 10
    for statement in explained:
        for row in explain(target.url, statement):
            if row["table"] in ("t", "labware_location"):
                assert row["type"] in ("const", "ref", "eq_ref", "range") or _first_page(statement), statement[:300]
                assert row["key"] in ("index_labware_location_on_labware_barcode", "PRIMARY"), statement[:300]


def _first_page(statement: str) -> bool:
    """Whether this reads the first page of all rows, in the order of the primary key and no further."""
    return " WHERE 1 ORDER BY `id` LIMIT 4999, 1" in statement


MARIADB, MYSQL = (
    "in_predicate_conversion_threshold = 0",
    "range_optimizer_max_mem_size = 0, explain_format = TRADITIONAL",
)


def explain(url: URL, statement: str) -> list[dict[str, Any]]:
    with create_engine(url).connect() as connection:
        maria = "MariaDB" in connection.exec_driver_sql("SELECT VERSION()").scalar_one()
        connection.exec_driver_sql(f"SET {MARIADB if maria else MYSQL}")
        options = {"no_parameters": True}
        return [dict(row) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", None, options).mappings()]


OTHER_TABLE = """
CREATE TABLE other (
  `odd ``name` char(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL PRIMARY KEY,
  big bigint unsigned,
  tiny tinyint NOT NULL,
  day date,
  whole datetime,
  tenth datetime(1) NOT NULL,
  stamp timestamp(3) NULL,
  wide varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  narrow text CHARACTER SET latin1,
  plain varchar(10) CHARACTER SET ascii COLLATE ascii_bin,
  unrelated int NOT NULL DEFAULT 7
)
"""
OTHER_COLUMNS = ("odd `name", "big", "tiny", "day", "whole", "tenth", "stamp", "wide", "narrow", "plain")
GOOD = ("Käse€", 2**64 - 1, -128, date(2026, 2, 28), THEN, THEN, THEN, "😀\\'\"", "naïve\x81" * 9, "ok")


def other_sink(mariadb: SqlServer) -> TableSink:
    url = mariadb.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql(OTHER_TABLE.replace("%", "%%"))
    return TableSink(url, "other", "odd `name", OTHER_COLUMNS)


def test_types_and_character_sets_of_all_kinds(mariadb: SqlServer) -> None:
    target = other_sink(mariadb)
    lowest = ("KÄSE€  ", None, 127, None, None, datetime(1000, 1, 1), None, None, None, None)
    assert target.write([GOOD], NOW) == Written(inserted=1)
    assert target.write([GOOD], NOW) == Written(unchanged=1)
    assert target.compare([GOOD]) == Compared(unchanged=1)
    separators = ("\x1f\x1e", *lowest[1:])  # has all rows of the chunk compared value by value
    assert target.write([GOOD, separators], NOW) == Written(inserted=1, unchanged=1)
    assert target.write([GOOD, separators], NOW) == Written(unchanged=2)
    assert target.delete([separators[0]]) == 1
    with databases.read(target.url) as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM other")
    cut = THEN.replace(microsecond=0), THEN.replace(microsecond=100_000), THEN.replace(microsecond=123_000)
    assert tuple(row) == (*GOOD[:4], *cut, *GOOD[7:], 7)
    assert target.write([lowest], NOW) == Written(updated=1)
    assert target.write([lowest], NOW) == Written(unchanged=1)
    assert keys_in(target) == ["KÄSE€"]


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, "Łódź", "odd `name contains 'Ł' (U+0141), which the table's character set latin1 cannot hold"),
        (1, -1, "big -1 is outside what the table can hold, 0 to 18446744073709551615"),
        (2, 128, "tiny 128 is outside what the table can hold, -128 to 127"),
        (3, THEN, "day is datetime.datetime(2026, 7, 1, 12, 0, 0, 123456) (datetime), where the table holds dates"),
        (3, date(999, 1, 1), "day 0999-01-01 is outside what the table can hold, 1000-01-01 to 9999-12-31"),
        (6, datetime(2039, 1, 1), "stamp 2039-01-01 00:00:00 is outside what the table can hold, "),
        (8, "é" * 65536, "narrow has 65536 characters, where the table holds at most 65535"),
        (9, "é", "plain contains 'é' (U+00E9), which the table's character set ascii cannot hold"),
    ],
)
def test_limits_are_those_of_the_target(mariadb: SqlServer, at: int, value: Any, reason: str) -> None:
    target = other_sink(mariadb)
    bad = [*GOOD]
    bad[at] = value
    bad[0] = bad[0] if at == 0 else "bad"
    (refused,) = target.write([tuple(bad), GOOD], NOW).refused
    assert refused.reason.startswith(reason)
    assert keys_in(target) == ["Käse€"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"table": "nowhere"},
            "a table is missing at {place}: there is no nowhere, or this user may not see it; check",
        ),
        (
            {"columns": (*Place._fields, "colour")},
            "a column is missing at {place}: labware_location has no colour; this",
        ),
        ({"updated_at": "changed_at"}, "a column is missing at {place}: labware_location has no changed_at; this task"),
        ({"key": "location_barcode"}, "labware_location at {place} has no unique index on location_barcode alone;"),
        ({"owner": {"lims_id": "L" * 300}}, "labware_location at {place} does not take this task's rows: lims_id has"),
    ],
)
def test_what_the_target_lacks_is_said(warehouses: Warehouses, changes: dict[str, Any], sentence: str) -> None:
    target = sink(warehouses.mlwh_url, **changes)
    for call in (target.check, lambda: target.write([Place()], NOW), lambda: list(target.stored())):
        with pytest.raises(Rejected) as caught:
            call()
        assert str(caught.value).startswith(sentence.format(place=databases.place(warehouses.mlwh_url)))


def test_a_column_that_cannot_be_compared_is_refused(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (k int PRIMARY KEY, f double)")
    with pytest.raises(Rejected, match=r"^t\.f at .* is double, which cannot be compared exactly$"):
        TableSink(url, "t", "k", ("k", "f")).check()


def test_a_read_only_user_is_told_of_the_grant(mariadb_warehouses: Warehouses) -> None:
    server, url = mariadb_warehouses.server, mariadb_warehouses.mlwh_url
    assert server is not None
    grant = f"GRANT SELECT ON `{url.database}`.* TO reader"
    server.execute("DROP USER IF EXISTS reader", "CREATE USER reader IDENTIFIED BY 'sekret'", grant)
    target = sink(url.set(username="reader", password="sekret"))
    assert target.compare([Place()]) == Compared(missing=1)
    with pytest.raises(Rejected, match="a grant is missing at .*: INSERT command denied to user 'reader'") as caught:
        target.write([Place()], NOW)
    assert "sekret" not in str(caught.value)
    assert not stored(mariadb_warehouses.mlwh)
