"""Keys: of one column or of several, of any kind, under names in any case.

Given: tables whose rows are told by pairs, by dates, by negative numbers.
What happens: rows are written, written again, walked over, and deleted.
What must hold: each row is found by its whole key, through the index of the key.
"""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from janitor.errors import Rejected
from janitor.table_sink import TableSink, Written
from tests.random_inputs import inputs
from tests.table_sink.places import NOW, THEN, keys_in, statements
from tests.table_sink.test_mysql import explain
from tests.table_sink.test_refusals import execute

SHELF = """CREATE TABLE shelf (
  site varchar(20) NOT NULL, number integer NOT NULL, day date, name varchar(40), rank integer,
  {primary} (site, number){more}
)"""
COLUMNS = ("name", "number", "site", "rank")


def shelves(url: URL, primary: str = "PRIMARY KEY", more: str = "", **options: Any) -> TableSink:
    """A sink for an empty table of shelves: a site and a number tell one shelf from another."""
    execute(url, "DROP TABLE IF EXISTS shelf", SHELF.format(primary=primary, more=more))
    return TableSink(url, "shelf", ("site", "number"), COLUMNS, **options)


def stored(url: URL) -> set[tuple[Any, ...]]:
    return set(execute(url, "SELECT name, number, site, rank FROM shelf"))


PAIRS = st.tuples(st.sampled_from("abé'"), st.integers(-3, 3))
ROWS = st.dictionaries(PAIRS, st.tuples(st.sampled_from(["x", "y", "\x1f"]), st.none() | st.integers(0, 2)), max_size=9)


@settings(max_examples=inputs(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS)
def test_rows_are_told_by_a_key_of_two_columns(
    database_url: URL, first: dict[Any, tuple[str, int]], second: dict[Any, tuple[str, int]]
) -> None:
    target = shelves(database_url)
    rows = [(name, number, site, rank) for (site, number), (name, rank) in first.items()]
    more = [(name, number, site, rank) for (site, number), (name, rank) in second.items()]
    assert target.write(rows, THEN) == Written(inserted=len(rows))
    written = target.write(more, NOW)
    assert (written.inserted, written.refused) == (len(second.keys() - first.keys()), ())
    both = first | second
    assert stored(database_url) == {(name, number, site, rank) for (site, number), (name, rank) in both.items()}
    assert target.write(more, NOW) == Written(unchanged=len(more))
    assert keys_in(target, 2) == sorted(both)
    assert target.delete([*first, ("none", 7)]) == len(first)
    assert keys_in(target, 3) == sorted(second.keys() - first.keys())


def test_a_twin_of_a_pair_is_told_by_both_columns(database_url: URL) -> None:
    target = shelves(database_url, newer="rank")
    written = target.write([("x", 7, "a", 2), ("y", 7, "a", 1)], NOW)
    (refused,) = written.refused
    assert refused == (("a", 7), "site 'a' and number 7 came more than once, and the newest was kept")
    assert stored(database_url) == {("x", 7, "a", 2)}


def test_pairs_in_another_case_are_the_same_to_a_collation(database_url: URL) -> None:
    if database_url.drivername == "sqlite":
        execute(database_url, SHELF.format(primary="UNIQUE", more="").replace("NOT NULL,", "COLLATE NOCASE,", 1))
        target = TableSink(database_url, "shelf", ("site", "number"), COLUMNS)
    else:
        target = shelves(database_url, "UNIQUE")
    target.write([("x", 1, "a", 1), ("x", 2, "a", 1)], THEN)
    assert target.write([("y", 1, "A", 1)], NOW) == Written(updated=1)
    assert stored(database_url) == {("y", 1, "A", 1), ("x", 2, "a", 1)}


def test_a_pair_without_a_unique_index_is_told(database_url: URL) -> None:
    execute(database_url, SHELF.format(primary="PRIMARY KEY", more=""))
    target = TableSink(database_url, "shelf", ("site", "rank"), COLUMNS)
    with pytest.raises(Rejected, match="shelf at .* has no unique index on site, rank together; create one"):
        target.check()


def test_a_key_that_the_rows_lack_is_told(database_url: URL) -> None:
    execute(database_url, SHELF.format(primary="PRIMARY KEY", more=""))
    for options in ({"key": ("site", "number"), "columns": ("site", "name")}, {"newer": "day"}):
        target = TableSink(database_url, "shelf", **({"key": ("site", "number"), "columns": COLUMNS} | options))
        with pytest.raises(Rejected, match="this task gives no (number|day), and its rows are told by it"):
            target.write([("x", 1, "a", 1)[: len(target.columns)]], NOW)


def test_names_may_be_written_in_any_case(database_url: URL) -> None:
    execute(
        database_url, "CREATE TABLE t (Id integer PRIMARY KEY, Stored_By varchar(9), LIMS varchar(9), At datetime(3))"
    )
    target = TableSink(
        database_url, "t", "ID", ("id", "stored_by"), owner={"lims": "me"}, newer="STORED_BY", updated_at="at"
    )
    assert target.write([(1, "b")], THEN) == Written(inserted=1)
    assert target.write([(1, "a")], NOW) == Written(older=1)
    assert target.write([(1, "c")], NOW) == Written(updated=1)
    assert keys_in(target) == [1] and target.delete([1]) == 1


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("integer", [-(2**31), -7, -1, 0, 5]),
        ("bigint", [-(2**63), -(2**40), -1, 2**63 - 1]),
        ("date", [date(1969, 2, 28), date(2026, 7, 1), date(2026, 7, 2)]),
        ("datetime(3)", [datetime(2026, 7, 1, 12, 0, 0, 123000), datetime(2026, 7, 1, 12, 0, 0, 124000)]),
        ("char(8)", ["-1", "7", "a b", "ä"]),
    ],
)
def test_keys_of_any_kind_are_walked_over(database_url: URL, kind: str, keys: list[Any]) -> None:
    execute(database_url, f"CREATE TABLE t (k {kind} NOT NULL PRIMARY KEY, name varchar(9))")
    target = TableSink(database_url, "t", "k", ("k", "name"))
    rows = [(key, f"n{at}") for at, key in enumerate(keys)]
    assert target.write(rows, THEN) == Written(inserted=len(keys))
    assert target.write(rows, NOW) == Written(unchanged=len(keys))
    found = keys_in(target, 2)
    assert len(found) == len(keys) and target.delete(found) == len(keys)


def test_a_view_is_no_target(database_url: URL) -> None:
    execute(database_url, SHELF.format(primary="PRIMARY KEY", more=""), "CREATE VIEW shelves AS SELECT * FROM shelf")
    target = TableSink(database_url, "shelves", ("site", "number"), COLUMNS)
    with pytest.raises(Rejected, match="shelves at .* is a view, and only a table can be written to"):
        target.check()


def test_pairs_are_found_through_their_index(mariadb_url: URL) -> None:
    target = shelves(mariadb_url)
    rows = [("x", at, f"s{at % 7}", 1) for at in range(4000)]
    target.write(rows, THEN, mostly_new=True)
    execute(mariadb_url, "ANALYZE TABLE shelf")
    seen: list[str] = []
    with statements(("SELECT", "UPDATE", "DELETE"), seen.append):
        target.write([(f"{at}", at, f"s{at % 7}", 1) for at in range(0, 4000, 100)], NOW)
        assert len(list(target.stored(1000))) == 5
        target.delete([("s1", 1), ("s2", 2)])
    explained = [statement for statement in seen if "`shelf`" in statement]
    assert len(explained) > 8
    for statement in explained:
        for row in explain(mariadb_url, statement):
            if row["table"] in ("t", "shelf"):
                assert row["key"] == "PRIMARY" and row["type"] != "ALL", statement[:400]
                first_page = " WHERE 1 ORDER BY " in statement
                assert row["type"] != "index" or first_page, statement[:400]
