"""Columns of kinds that need care: each value comes back exactly as it was given, or is refused in words.

Given: a table with a column of one kind, and a key of the same kind.
What happens: any values of that kind are written, compared, walked over and deleted.
What must hold: what is stored is what was given; written once more, nothing differs; what does not fit is told.
"""

from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from janitor.errors import Rejected
from janitor.table_sink import TableSink, Unpaired, Written
from tests.random_inputs import inputs
from tests.table_sink.places import NOW, THEN, keys_in
from tests.table_sink.test_refusals import execute

seconds = timedelta(hours=838, minutes=59, seconds=59)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "decimal(12,3)": st.decimals(-999_999_999, 999_999_999, places=3),
    "decimal(9,0)": st.integers(-999_999_999, 999_999_999).map(Decimal),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "binary(4)": st.binary(min_size=4, max_size=4),
    "varbinary(9)": st.binary(max_size=9),
    "bit(33)": st.integers(0, 2**33 - 1),
    "time": st.timedeltas(-seconds, seconds).map(lambda length: timedelta(seconds=int(length.total_seconds()))),
    "time(6)": st.timedeltas(-seconds, seconds),
    "year": st.sampled_from([0, 1901, 2026, 2155]),
}
ON_SERVERS: dict[str, st.SearchStrategy[Any]] = {
    "decimal(65,30)": st.decimals(-(10**34), 10**34, places=30),
    "double unsigned": st.floats(0, allow_infinity=False),
    "enum('a','b,c','d''e')": st.sampled_from(["a", "b,c", "d'e"]),
    "set('a','b','c')": st.sets(st.sampled_from("abc")).map(lambda chosen: ",".join(sorted(chosen))),
    "uuid": st.uuids(version=4).map(str),
}
ALSO_ONLY_READ: dict[str, st.SearchStrategy[Any]] = {
    "blob": st.binary(max_size=300),
    "uuid": st.uuids(version=4).map(str),
}


def written_and_read(url: URL, kind: str, values: list[Any], *, as_key: bool) -> None:
    """Write values into a column of a kind, and once more; then change them, walk over them, delete them."""
    null = "" if as_key else " NULL"
    key = "v" if as_key else "k"
    primary = "PRIMARY KEY (v), UNIQUE (k)" if as_key else "PRIMARY KEY (k)"
    execute(url, "DROP TABLE IF EXISTS t", f"CREATE TABLE t (k integer NOT NULL, v {kind}{null}, {primary})")
    target = TableSink(url, "t", key, ("k", "v"))
    rows = list(enumerate(values))
    assert target.write(rows, THEN) == Written(inserted=len(rows))
    assert target.write(rows, NOW) == Written(unchanged=len(rows))
    found = Unpaired()
    for page in target.stored(3):
        found.find(page)
    keys = keys_in(target, 3)
    assert len(keys) == len(rows)
    if as_key:
        assert target.delete(keys) == len(rows)
        return
    moved = [(at, values[at - 1]) for at, _ in rows]
    differ = sum(values[at] != values[at - 1] for at, _ in rows)
    assert target.compare(moved).different == differ
    assert target.write(moved, NOW) == Written(updated=differ, unchanged=len(rows) - differ)
    assert target.write(moved, NOW) == Written(unchanged=len(rows))
    stored = execute(url, "SELECT k, v FROM t ORDER BY k")
    for (_, value), (_, there) in zip(moved, stored):
        assert same(value, there), (value, there)


def same(value: Any, there: Any) -> bool:
    """Whether a value was read back; each driver has its own forms."""
    if isinstance(value, Decimal) and there is not None:
        return value == (there if isinstance(there, Decimal) else Decimal(repr(there)))
    if isinstance(there, bytes) and isinstance(value, int):
        return int.from_bytes(there, "big") == value
    if isinstance(value, timedelta) and isinstance(there, str):
        return bool(there)
    return bool(value == there)


def property_test(kind: str, values: st.SearchStrategy[Any], url: URL, as_key: bool) -> None:
    several = st.lists(values, min_size=1, max_size=6, unique=as_key)
    if not as_key:
        several = st.lists(st.none() | values, min_size=1, max_size=6)
    options = settings(max_examples=inputs(15), deadline=None, suppress_health_check=list(HealthCheck))
    check: Callable[[], None] = options(given(several)(lambda found: written_and_read(url, kind, found, as_key=as_key)))
    check()


@pytest.mark.parametrize("kind", [*KINDS, *ALSO_ONLY_READ])
def test_values_of_any_kind_come_back_exactly(database_url: URL, kind: str) -> None:
    if kind == "uuid":
        skip_without_uuids(database_url)
    property_test(kind, (KINDS | ALSO_ONLY_READ)[kind], database_url, as_key=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_any_kind_are_found_again(database_url: URL, kind: str) -> None:
    property_test(kind, KINDS[kind], database_url, as_key=True)


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_kinds_of_the_servers_come_back_exactly(mariadb_url: URL, kind: str) -> None:
    if kind == "uuid":
        skip_without_uuids(mariadb_url)
    property_test(kind, ON_SERVERS[kind], mariadb_url, as_key=False)


def skip_without_uuids(url: URL) -> None:
    """MySQL has no type for uuids."""
    if url.drivername != "sqlite" and "MariaDB" not in execute(url, "SELECT VERSION()")[0][0]:
        pytest.skip("MySQL has no UUID type")


def test_other_forms_of_a_value_are_the_same_value(database_url: URL) -> None:
    skip_without_uuids(database_url)
    id = uuid4()
    execute(
        database_url, "CREATE TABLE t (k integer PRIMARY KEY, a decimal(9,2), b time(3), c uuid, d double, e binary(3))"
    )
    target = TableSink(database_url, "t", "k", ("k", "a", "b", "c", "d", "e"))
    exact = (1, Decimal("1.50"), timedelta(hours=7, microseconds=123_000), str(id), 2.0, b"a\0\0")
    assert target.write([exact], THEN) == Written(inserted=1)
    forms = [
        (1, 1.5, time(7, 0, 0, 123_456), UUID(str(id)), 2, b"a"),
        (1, Decimal("1.5000"), exact[2], str(id).upper(), 2.0, bytearray(b"a\0")),
    ]
    for row in forms:
        assert target.write([row], NOW) == Written(unchanged=1)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("decimal(9,2)", Decimal("1.005"), "v 1.005 has more decimals than the table keeps, 2"),
        ("decimal(9,2)", Decimal("12345678"), "v 12345678.00 is outside what the table can hold, "),
        ("decimal(9,2)", Decimal("NaN"), "v NaN is no finite number"),
        ("double", float("inf"), "v inf is no finite number"),
        ("double", 2**60 + 1, "v is 1152921504606846977 (int); the table holds numbers"),
        ("varbinary(3)", b"four", "v has 4 bytes; the table holds at most 3"),
        ("varbinary(3)", "x", "v is 'x' (str); the table holds bytes"),
        ("bit(4)", 16, "v 16 is outside what the table can hold, 0 to 15"),
        ("time", timedelta(hours=839), "v 34 days, 23:00:00 is outside what the table can hold, "),
        ("year", 1900, "v 1900 is outside what the table can hold, 1901 to 2155"),
    ],
)
def test_what_does_not_fit_is_told(database_url: URL, kind: str, value: Any, words: str) -> None:
    execute(database_url, f"CREATE TABLE t (k integer PRIMARY KEY, v {kind})")
    written = TableSink(database_url, "t", "k", ("k", "v")).write([(1, value), (2, None)], NOW)
    assert written.inserted == 1 and [one.key for one in written.refused] == [1]
    assert written.refused[0].reason.startswith(words), written.refused


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (
            "decimal(30,0)",
            Decimal(-(10**30)),
            f"v -1{'0' * 30} is outside what the table can hold, -{'9' * 30} to {'9' * 30}",
        ),
        ("enum('a','b')", "A", "v is 'A', which is none of a, b"),
        ("set('a','b')", {"b", "z"}, "v is 'z', which is none of a, b"),
        ("uuid", "seven", "v is 'seven', which is no uuid"),
    ],
)
def test_what_no_member_is_is_told(mariadb_url: URL, kind: str, value: Any, words: str) -> None:
    if kind == "uuid":
        skip_without_uuids(mariadb_url)
    execute(mariadb_url, f"CREATE TABLE t (k integer PRIMARY KEY, v {kind})")
    (refused,) = TableSink(mariadb_url, "t", "k", ("k", "v")).write([(1, value)], NOW).refused
    assert refused.reason == words


def test_columns_that_cannot_be_compared_are_told_one_by_one(database_url: URL) -> None:
    execute(database_url, "CREATE TABLE t (k integer PRIMARY KEY, a point, b geometry, c integer)")
    with pytest.raises(Rejected) as caught:
        TableSink(database_url, "t", "k", ("k", "a", "b", "c")).check()
    assert "t.a at " in str(caught.value) and "t.b at " in str(caught.value) and "t.c" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [
        ("decimal(9,2)", Decimal("9.50"), Decimal("10.00")),
        ("time", timedelta(hours=9), timedelta(hours=100)),
        ("double", 9.5, 1e10),
        ("year", 1999, 2026),
        ("varchar(9)", "a", "b"),
        ("varbinary(9)", b"\x09", b"\x10"),
    ],
)
def test_any_column_may_tell_which_row_is_newer(database_url: URL, kind: str, older: Any, newer: Any) -> None:
    execute(database_url, f"CREATE TABLE t (k integer PRIMARY KEY, v {kind}, n integer)")
    target = TableSink(database_url, "t", "k", ("k", "v", "n"), newer="v")
    target.write([(1, newer, 1)], THEN)
    assert target.write([(1, older, 2)], NOW) == Written(older=1)
    assert target.write([(1, newer, 3)], NOW) == Written(updated=1)
