"""Rows that do not fit are refused in words; the others are written."""

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import URL, text

from janitor.errors import BadSetting, Rejected
from janitor.table_sink import Refused, TableSink, Unpaired, Written
from tests.fixtures import Warehouses
from tests.servers import SqlServer
from tests.table_sink.other_table import GOOD, other_sink
from tests.table_sink.places import NOW, THEN, Place, keys_in, places, sink, stored
from tests.table_sink.test_refusals import execute


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"location_name": None}, "location_name is missing (NULL), and the table needs it"),
        ({"location_name": "é" * 256}, "location_name has 256 characters; the table holds at most 255"),
        (
            {"coordinate_row": 2**63},
            "coordinate_row 9223372036854775808 is outside what the table can hold, {range}",
        ),
        ({"coordinate_row": "A"}, "coordinate_row is 'A' (str); the table holds whole numbers"),
        ({"stored_at": "yesterday"}, "stored_at is 'yesterday' (str); the table holds instants"),
        ({"stored_by": 7}, "stored_by is 7 (int); the table holds text"),
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


@pytest.mark.parametrize("row", [{"labware_barcode": "DN1"}, ("DN1",), (*Place("DN1"), "more"), "DN1", 7, {1, 2}])
def test_what_is_no_row_is_refused_whole(warehouses: Warehouses, row: Any) -> None:
    with pytest.raises(BadSetting, match="^a row for labware_location is .*: give [0-9]+ values in their order"):
        sink(warehouses.mlwh_url).write([Place("DN1"), row], NOW)
    assert places(warehouses.mlwh) == set()


def test_a_row_without_key_is_refused(warehouses: Warehouses) -> None:
    written = sink(warehouses.mlwh_url).write([Place(None), Place("DN2")], NOW)
    assert written.inserted == 1
    assert written.refused == (Refused(None, "labware_barcode is missing (NULL), and the table needs it"),)


def test_emoji_is_refused_by_utf8mb3(mariadb_warehouses: Warehouses) -> None:
    written = sink(mariadb_warehouses.mlwh_url).write([Place("😀1"), Place("DN2", stored_by="é😀")], NOW)
    tail = "contains '😀' (U+1F600), which the table's character set utf8mb3 cannot hold"
    assert [one.reason for one in written.refused] == [f"labware_barcode {tail}", f"stored_by {tail}"]
    assert not stored(mariadb_warehouses.mlwh)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, "Łódź", "odd `name contains 'Ł' (U+0141), which the table's character set latin1 cannot hold"),
        (1, -1, "big -1 is outside what the table can hold, 0 to 18446744073709551615"),
        (2, 128, "tiny 128 is outside what the table can hold, -128 to 127"),
        (3, THEN, "day is datetime.datetime(2026, 7, 1, 12, 0, 0, 123456) (datetime); the table holds dates"),
        (3, date(999, 1, 1), "day 0999-01-01 is outside what the table can hold, 1000-01-01 to 9999-12-31"),
        (6, datetime(2039, 1, 1), "stamp 2039-01-01 00:00:00 is outside what the table can hold, "),
        (8, "é" * 65536, "narrow has 65536 characters; the table holds at most 65535"),
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


def test_constant_columns_are_the_same_in_every_row(database_url: URL) -> None:
    execute(database_url, "CREATE TABLE t (k integer PRIMARY KEY, a varchar(9), made_by varchar(9), day date)")
    execute(database_url, "CREATE TABLE o (id integer PRIMARY KEY, k integer, a varchar(9))")
    execute(database_url, "INSERT INTO o VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')")
    target = TableSink(database_url, "t", "k", ("k", "a"), constants={"made_by": "janitor", "day": date(2026, 7, 1)})
    assert target.write([(1, "x"), (2, "y")], NOW) == Written(inserted=2)
    execute(database_url, "UPDATE t SET made_by = 'hand' WHERE k = 2")
    assert target.write([(1, "x"), (2, "y")], NOW) == Written(updated=1, unchanged=1)
    found = execute(database_url, "SELECT k, a, made_by, day FROM t ORDER BY k")
    assert [(*row[:3], str(row[3])) for row in found] == [
        (1, "x", "janitor", "2026-07-01"),
        (2, "y", "janitor", "2026-07-01"),
    ]
    left = Unpaired()
    left.want(target.wanted(database_url, text("SELECT id, k, a FROM o"), {}, "id"))
    for page in target.stored():
        left.find(page)
    assert target.keys_of(left.take_wanted()) == [3] and len(left.take_stored()) == 0


def test_a_constant_that_does_not_fit_is_told(database_url: URL) -> None:
    execute(database_url, "CREATE TABLE t (k integer PRIMARY KEY, made_by varchar(3))")
    target = TableSink(database_url, "t", "k", ("k",), constants={"made_by": "janitor"})
    with pytest.raises(Rejected, match="does not take this task's rows: made_by has 7 characters"):
        target.check()
