"""What does not stay as it was written is noticed, told, and not written again and again.

Given: a table in which a trigger rewrites some of what is written.
What happens: rows are written there, once and again.
What must hold: the others are written; the rewritten are told; in the end nothing is written that would not stay.
"""

from typing import Any

import pytest
from sqlalchemy import URL

from janitor.table_sink import TableSink, Written
from tests.table_sink.places import NOW, THEN
from tests.table_sink.test_refusals import COLUMNS, TUBE, execute, stored

STAMPED = ", changed_at datetime(6)"


def rewriting(url: URL, change: str, when: str) -> TableSink:
    """A sink for a table that changes what is written: `change` sets a column, `when` tells in which rows."""
    execute(url, TUBE.format(more=STAMPED))
    for event in ("INSERT", "UPDATE"):
        if url.drivername == "sqlite":
            trigger = f"AFTER {event} ON tube WHEN {when} BEGIN UPDATE tube SET {change} WHERE name = NEW.name; END"
        else:
            trigger = f"BEFORE {event} ON tube FOR EACH ROW IF {when} THEN SET NEW.{change}; END IF"
        execute(url, f"CREATE TRIGGER on_{event.lower()} {trigger}")
    return TableSink(url, "tube", "name", COLUMNS, updated_at="changed_at")


CHANGES = [
    (
        "slot = 'ATTIC'",
        "NEW.slot = 'attic'",
        ("t1", "attic", 1, 1),
        "slot was written as 'attic' and is stored as 'ATTIC'",
    ),
    ("volume = 10", "NEW.volume > 10", ("t1", "a", 1, 12), "volume was written as 12 and is stored as 10"),
    ("rack = NULL", "NEW.rack = 7", ("t1", "a", 7, 1), "rack was written as 7 and is stored as None"),
]


@pytest.mark.parametrize(("change", "when", "row", "words"), CHANGES)
def test_a_rewritten_row_is_told_and_then_left_alone(
    database_url: URL, change: str, when: str, row: tuple[Any, ...], words: str
) -> None:
    target = rewriting(database_url, change, when)
    others = [("t2", "b", 1, 2), ("t3", "c", 1, 3)]
    first = target.write([row, *others], THEN)
    assert (first.inserted, [one.key for one in first.refused]) == (2, ["t1"])
    assert first.refused[0].reason == f"something changes the rows that are written: {words}"
    # Now the rewritten row is there: to write it once more would change nothing.
    before = execute(database_url, "SELECT * FROM tube ORDER BY name")
    again = target.write([row, *others, ("t4", "d", 1, 4)], NOW)
    assert (again.inserted, again.updated, again.unchanged, again.refused) == (1, 0, 2, first.refused)
    assert execute(database_url, "SELECT * FROM tube WHERE name <> 't4' ORDER BY name") == before


def test_news_of_a_rewritten_row_still_arrives(database_url: URL) -> None:
    target = rewriting(database_url, "slot = 'ATTIC'", "NEW.slot = 'attic'")
    target.write([("t1", "attic", 1, 1)], THEN)
    assert len(target.write([("t1", "attic", 1, 5)], NOW).refused) == 1
    assert stored(database_url)["t1"][:3] == ("ATTIC", 1, 5)
    assert target.write([("t1", "b", 1, 5)], NOW) == Written(updated=1)


def test_a_row_that_vanishes_as_it_is_written_is_told(mariadb_url: URL) -> None:
    execute(mariadb_url, TUBE.format(more=""))
    execute(
        mariadb_url,
        "CREATE TRIGGER renamed BEFORE INSERT ON tube FOR EACH ROW "
        "IF NEW.volume = 0 THEN SET NEW.name = 'empty'; END IF",
    )
    written = TableSink(mariadb_url, "tube", "name", COLUMNS).write([("t1", "a", 1, 0), ("t2", "b", 1, 1)], NOW)
    (refused,) = written.refused
    assert (written.inserted, refused.key) == (1, "t1")
    assert refused.reason.endswith("name 't1' is not there")
