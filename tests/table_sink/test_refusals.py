"""Rows that the server refuses: each is found and told with the server's reason, all others are written.

Given: a table with checks, triggers, foreign keys and unique values that only the server knows.
What happens: rows are written of which the server refuses some, or whose unique values change places.
What must hold: what can be written is written, and nothing else in the table changes.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, create_engine

from janitor.errors import Rejected
from janitor.table_sink import CHUNK_ROWS, TableSink, Written
from tests.random_inputs import inputs
from tests.servers import SqlServer
from tests.table_sink.places import NOW, THEN

TUBE = """CREATE TABLE tube (
  name varchar(20) NOT NULL PRIMARY KEY, slot varchar(30), rack integer, volume integer NOT NULL, note varchar(40)
  {more}
)"""
COLUMNS = ("name", "slot", "rack", "volume")


def execute(url: URL, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements, and give the rows of the last."""
    engine, rows = create_engine(url), []
    with engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement.replace("%", "%%"))
            rows = list(map(tuple, result)) if result.returns_rows else []
    engine.dispose()
    return rows


def tubes(url: URL, more: str = "", *further: str) -> TableSink:
    """A sink for an empty table of tubes."""
    execute(url, TUBE.format(more=more), *further)
    return TableSink(url, "tube", "name", COLUMNS)


def stored(url: URL) -> dict[str, tuple[Any, ...]]:
    """What the table holds, by name."""
    return {row[0]: row[1:] for row in execute(url, "SELECT name, slot, rack, volume, note FROM tube")}


def refuse_in_a_trigger(url: URL) -> str:
    """A trigger that refuses a volume of 13."""
    if url.drivername == "sqlite":
        return (
            "CREATE TRIGGER no13 BEFORE INSERT ON tube WHEN NEW.volume = 13 BEGIN SELECT RAISE(ABORT, 'never 13'); END"
        )
    return (
        "CREATE TRIGGER no13 BEFORE INSERT ON tube FOR EACH ROW IF NEW.volume = 13 THEN "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'never 13'; END IF"
    )


NOTHING: list[str] = []
CHECK = (", CHECK (volume >= 0)", NOTHING)
UNIQUE = (", UNIQUE (slot)", NOTHING)
FOREIGN = (
    ", FOREIGN KEY (rack) REFERENCES rack (id)",
    ["CREATE TABLE rack (id integer PRIMARY KEY)", "INSERT INTO rack VALUES (1)"],
)


@pytest.mark.parametrize(
    "signal", ["'HY000' SET MYSQL_ERRNO = 45000,", "'45000' SET MYSQL_ERRNO = 1146,", "'02000' SET"]
)
def test_a_trigger_may_signal_with_any_number(mariadb: SqlServer, signal: str) -> None:
    trigger = f"IF NEW.volume = 13 THEN SIGNAL SQLSTATE {signal} MESSAGE_TEXT = 'never 13'; END IF"
    sink = tubes(
        mariadb.create_database(), "", f"CREATE TRIGGER no13 BEFORE INSERT ON tube FOR EACH ROW BEGIN {trigger}; END"
    )
    written = sink.write([("a", None, 1, 12), ("b", None, 1, 13), ("c", None, 1, 14)], NOW)
    assert (written.inserted, [one.key for one in written.refused]) == (2, ["b"])
    assert "never 13" in written.refused[0].reason


@pytest.mark.parametrize(
    ("more", "before", "bad", "words"),
    [
        (*CHECK, ("bad", "s0", 1, -1), "CONSTRAINT"),
        (*UNIQUE, ("bad", "s7", 1, 5), "slot"),
        (*FOREIGN, ("bad", "s0", 2, 5), "foreign key"),
        ("", NOTHING, ("bad", "s0", 1, 13), "never 13"),
    ],
)
def test_one_refused_row_stops_no_other(
    database_url: URL, more: str, before: Sequence[str], bad: tuple[Any, ...], words: str
) -> None:
    execute(database_url, *before, TUBE.format(more=more), refuse_in_a_trigger(database_url))
    target = TableSink(database_url, "tube", "name", COLUMNS)
    target.write([("t1", "old", 1, 1), ("t7", "s7", 1, 7)], THEN)
    rows = [*(("t%d" % at, "s%d" % at, 1, at) for at in range(1, 7)), bad]
    written = target.write(rows, NOW)
    assert (written.inserted, written.updated) == (5, 1)
    ((key, reason),) = written.refused
    assert key == "bad" and words.lower() in reason.lower() and " refused " in reason
    assert stored(database_url) == {"t7": ("s7", 1, 7, None)} | {row[0]: (*row[1:], None) for row in rows[:-1]}
    again = target.write(rows, NOW)
    assert (again.unchanged, [one.key for one in again.refused]) == (6, ["bad"])


def test_a_column_that_the_task_does_not_know_refuses_only_new_rows(database_url: URL) -> None:
    target = tubes(database_url)
    target.write([("t1", "a", 1, 1)], THEN)
    execute(database_url, "DROP TABLE tube", TUBE.format(more=", owner varchar(9) NOT NULL"))
    execute(database_url, "INSERT INTO tube (name, volume, owner) VALUES ('t1', 0, 'me')")
    written = target.write([("t1", "a", 1, 1), ("t2", "b", 1, 2), ("t3", "c", 1, 3)], NOW)
    assert written.updated == 1 and [one.key for one in written.refused] == ["t2", "t3"]
    assert all("owner" in one.reason for one in written.refused)
    assert execute(database_url, "SELECT name, slot, owner FROM tube") == [("t1", "a", "me")]


def test_many_bad_rows_among_good_are_each_found(database_url: URL) -> None:
    target = tubes(database_url, ", CHECK (volume >= 0)")
    rows = [(f"t{at}", f"s{at}", 1, -at if at % 7 == 3 else at) for at in range(300)]
    written = target.write(rows, NOW, mostly_new=True)
    assert {one.key for one in written.refused} == {f"t{at}" for at in range(3, 300, 7)}
    assert stored(database_url).keys() == {row[0] for row in rows if row[3] >= 0}


def test_filling_finds_refused_rows_too(database_url: URL) -> None:
    target = tubes(database_url, ", CHECK (volume >= 0)")
    assert target.write([("t1", "a", 1, 1)], NOW, mostly_new=True).inserted == 1
    written = target.write([("t2", "b", 1, 2), ("t3", "c", 1, -3)], NOW, mostly_new=True)
    assert (written.inserted, [one.key for one in written.refused]) == (1, ["t3"])


def test_another_error_is_no_row_s_fault(database_url: URL) -> None:
    target = tubes(database_url)
    target.write([("t1", "a", 1, 1)], THEN)
    execute(database_url, "ALTER TABLE tube RENAME COLUMN slot TO place")
    with pytest.raises(Rejected, match="a column is missing"):
        target.write([("t1", "b", 1, 1), ("t2", "b", 1, 1)], NOW)


SWAPS = [
    [("t1", "b"), ("t2", "a")],
    [("t1", "b"), ("t2", "c"), ("t3", "a")],
    [("t1", "b"), ("t2", "c"), ("t3", "new")],
    [("t1", "c"), ("t2", "b"), ("t3", "a"), ("t4", "d")],
    [("t1", "new"), ("t4", "a")],
]


@pytest.mark.parametrize("moves", SWAPS)
@pytest.mark.parametrize("kind", ["varchar(30)", "integer", "date"])
def test_rows_swap_their_unique_values(database_url: URL, moves: list[tuple[str, str]], kind: str) -> None:
    made: dict[str, Callable[[int], Any]] = {"varchar(30)": str, "integer": int, "date": partial(date, 2026, 7)}
    of = {name: made[kind](at) for at, name in enumerate(["a", "b", "c", "d", "new"], 1)}
    execute(database_url, TUBE.format(more=", UNIQUE (slot)").replace("slot varchar(30)", f"slot {kind}"))
    target = TableSink(database_url, "tube", "name", COLUMNS)
    target.write([("t1", of["a"], 1, 1), ("t2", of["b"], 1, 2), ("t3", of["c"], 1, 3)], THEN)
    execute(database_url, "UPDATE tube SET note = name")
    written = target.write([(name, of[slot], 1, 9) for name, slot in moves], NOW)
    assert not written.refused
    after = stored(database_url)
    for name, slot in moves:
        assert str(after[name][0]) == str(of[slot])
        assert after[name][3] == (name if name != "t4" else None)
    assert target.write([(name, of[slot], 1, 9) for name, slot in moves], NOW) == Written(unchanged=len(moves))


def test_rows_of_two_chunks_swap_their_unique_values(database_url: URL) -> None:
    target = tubes(database_url, ", UNIQUE (slot), CHECK (volume >= 0)")
    rows = [(f"t{at}", f"s{at}", 1, 1) for at in range(2 * CHUNK_ROWS + 1)]
    target.write(rows, THEN)
    last, free = len(rows) - 1, len(rows)
    rows[0], rows[last] = ("t0", f"s{last}", 1, 1), (f"t{last}", "s0", 1, 1)
    # The first row of a chain comes first; the value that it wants is free only after the second chunk.
    rows[1], rows[last - 1] = ("t1", f"s{last - 1}", 1, 1), (f"t{last - 1}", f"s{free}", 1, 1)
    rows[2] = ("t2", "s2", 1, -1)
    written = target.write(rows, NOW)
    assert (written.updated, [one.key for one in written.refused]) == (4, ["t2"])
    after = stored(database_url)
    assert [after[name][0] for name in ("t0", f"t{last}", "t1", f"t{last - 1}", "t2")] == [
        f"s{last}",
        "s0",
        f"s{last - 1}",
        f"s{free}",
        "s2",
    ]


def test_a_swap_goes_through_beside_a_refused_row(database_url: URL) -> None:
    target = tubes(database_url, ", UNIQUE (slot), CHECK (volume >= 0)")
    target.write([(f"t{at}", f"s{at}", 1, 1) for at in range(8)], THEN)
    rows = [("t0", "s1", 1, 1), ("t2", "s2", 1, -1), ("t3", "s7", 1, 1), ("t1", "s0", 1, 1), ("t4", "s2", 1, 1)]
    written = target.write(rows, NOW)
    # t7 keeps s7, and t2 keeps s2, so t3 and t4 cannot have them.
    assert sorted(one.key for one in written.refused) == ["t2", "t3", "t4"]
    after = {name: row[0] for name, row in stored(database_url).items()}
    assert after == {f"t{at}": f"s{at}" for at in range(8)} | {"t0": "s1", "t1": "s0"}


def test_rows_that_refer_to_a_swapped_value_keep_their_row(database_url: URL) -> None:
    target = tubes(database_url, ", UNIQUE (slot)")
    target.write([("t1", "a", 1, 1), ("t2", "b", 1, 2)], THEN)
    execute(
        database_url,
        "CREATE TABLE label (id integer PRIMARY KEY, slot varchar(30), "
        "FOREIGN KEY (slot) REFERENCES tube (slot) ON UPDATE CASCADE)",
        "INSERT INTO label VALUES (1, 'a'), (2, 'b')",
    )
    assert target.write([("t1", "b", 1, 1), ("t2", "a", 1, 2)], NOW) == Written(updated=2)
    assert execute(database_url, "SELECT id, slot FROM label ORDER BY id") == [(1, "b"), (2, "a")]


@settings(max_examples=inputs(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.permutations(range(6)),
    wanted=st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 8)), max_size=8, unique_by=lambda one: one[0]),
)
def test_whatever_is_wanted_each_row_is_stored_or_refused(
    database_url: URL, first: list[int], wanted: list[tuple[int, int]]
) -> None:
    execute(database_url, "DROP TABLE IF EXISTS tube")
    target = tubes(database_url, ", UNIQUE (slot), CHECK (volume >= 0)")
    target.write([(f"t{at}", f"s{slot}", 1, 1) for at, slot in enumerate(first)], THEN)
    before = stored(database_url)
    # A negative number stands for a volume that the check refuses.
    rows = [(f"t{at}", f"s{abs(slot)}", 1, -1 if slot < 0 else 1) for at, slot in wanted]
    refused = {one.key for one in target.write(rows, NOW).refused}
    after = stored(database_url)
    goal = before | {row[0]: (*row[1:], None) for row in rows}
    assert {row[0] for row in rows if row[3] < 0} <= refused
    assert after == {key: (before[key] if key in refused else goal[key]) for key in after}
    assert after.keys() == before.keys() | ({row[0] for row in rows} - refused)
    if len({row[0] for row in goal.values()}) == len(goal) and all(row[2] >= 0 for row in goal.values()):
        assert not refused


WELL = """CREATE TABLE well (
  plate varchar(40) NOT NULL, number integer NOT NULL, tag varchar(20), volume integer CHECK (volume >= 0),
  PRIMARY KEY (plate, number), UNIQUE (plate, tag)
)"""


def test_a_key_is_never_set_aside(database_url: URL) -> None:
    # Given: wells whose key shares a column with another unique index.
    # What happens: two rows swap what is unique; one changes beside a row that the server refuses.
    # What must hold: each key stays, and what is reported as written is there.
    execute(database_url, WELL)
    target = TableSink(database_url, "well", ("plate", "number"), ("plate", "number", "tag", "volume"))
    target.write([("p1", 1, "tag one", 1), ("p1", 2, "tag two", 2)], THEN)
    assert target.write([("p1", 1, "tag two", 1), ("p1", 2, "tag one", 2)], NOW) == Written(updated=2)
    written = target.write([("p1", 1, "tag three", 1), ("p1", 3, "tag four", -1)], NOW)
    assert (written.updated, [one.key for one in written.refused]) == (1, [("p1", 3)])
    rows = execute(database_url, "SELECT plate, number, tag, volume FROM well ORDER BY number")
    assert rows == [("p1", 1, "tag three", 1), ("p1", 2, "tag one", 2)]


@pytest.mark.parametrize("change", ["name = 'lost'", "slot = OLD.slot"])
def test_a_trigger_that_redirects_an_update_leaves_no_odd_value(database_url: URL, change: str) -> None:
    # Given: a trigger that gives a row another key as it changes, or its old slot again.
    # What happens: that row changes, beside another that takes its slot, and alone.
    # What must hold: it is refused and stays as it was, and nothing else in the table changes.
    target = tubes(database_url, ", UNIQUE (slot)")
    target.write([("t1", "one", 1, 1), ("t2", "two", 1, 2)], THEN)
    if database_url.drivername == "sqlite":
        redirect = (
            "AFTER UPDATE ON tube WHEN NEW.name = 't1' AND NEW.slot = 'new one' "
            f"BEGIN UPDATE tube SET {change} WHERE name = NEW.name; END"
        )
    else:
        redirect = f"BEFORE UPDATE ON tube FOR EACH ROW IF NEW.slot = 'new one' THEN SET NEW.{change}; END IF"
    execute(database_url, f"CREATE TRIGGER redirect {redirect}")
    before = stored(database_url)
    written = target.write([("t1", "new one", 1, 7), ("t2", "one", 1, 2)], NOW)
    assert [one.key for one in written.refused] == ["t1", "t2"]
    assert stored(database_url) == before
    written = target.write([("t1", "new one", 1, 1)], NOW)
    assert [one.key for one in written.refused] == ["t1"]
    assert stored(database_url) == before
