"""Ranges of indexes: pages, places, and items that stand in several ranges."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.dialects import mysql

from janitor.state import State, item_ranges
from janitor.state.item_ranges import Range
from janitor.state.item_tables import item_steps, items
from janitor.state.item_wanted import IN_ORDER
from tests.state.parcels import NOW, SECOND, add, end

PLACE = (0, datetime.fromisoformat("2026-07-01T12:00:00+00:00"), 7)


def of_step(step: str, state: int) -> Range:
    """A step's rows in one state."""
    same = {"lane": f"parcels.{step}", "state": state}
    return Range(item_steps, "item_steps_due", item_steps.c.item_id, IN_ORDER, same)


def all_pages(connection: Connection, ranges: list[Range], most: int, newest_first: bool) -> list[int]:
    """The items of all pages."""
    found, place = list[int](), None
    while True:
        page = item_ranges.page(connection, ranges, place, most, newest_first)
        assert len(page.items) <= most
        found, place = [*found, *page.items], page.place
        if page.is_last:
            return found


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_an_item_stands_where_the_last_of_its_rows_is(state: State, most: int) -> None:
    # Given items that are done at the first step in one order, and at the second, some of them, in another.
    # What happens: all that are done at either are read, in pages, both ways.
    # What must hold: each comes once, by the last that happened to it.
    a, b, c, d = add(state, "a", "b", "c", "d")
    for second, item_id in enumerate((a, b, c, d)):
        end(state, "fetch", item_id, at=NOW + second * SECOND)
    for second, item_id in ((5, c), (6, a)):
        end(state, "match", item_id, at=NOW + second * SECOND)
    both = [of_step("fetch", 4), of_step("match", 4)]
    with state.read() as connection:
        assert all_pages(connection, both, most, newest_first=False) == [b, d, c, a]
        assert all_pages(connection, both, most, newest_first=True) == [a, c, d, b]
        assert all_pages(connection, both[:1], most, newest_first=True) == [d, c, b, a]
        assert item_ranges.place_of(connection, both, c) == (0, NOW + 5 * SECOND, c)
        assert item_ranges.place_of(connection, both, 10**9) is None
        assert item_ranges.page(connection, [], None, most, newest_first=True).is_last
        counts = [item_ranges.count(connection, both, number) for number in (1, 3, 4, 9)]
        assert counts == [1, 3, 4, 4] and item_ranges.count(connection, [], 5) == 0


def test_ranges_of_items_are_added_up(state: State) -> None:
    add(state, "a", "b", "c")
    of_items = [
        Range(items, "items_flagged", items.c.id, (items.c.id,), {"pipeline": name}) for name in ("parcels", "stars")
    ]
    with state.read() as connection:
        assert [item_ranges.count(connection, of_items, most) for most in (2, 9)] == [2, 3]


class OfServer:
    """What a connection to a server says of itself."""

    dialect = mysql.dialect()


def test_a_server_gets_comparisons_that_bound_its_index() -> None:
    # A comparison of rows is no range for MySQL and MariaDB: they would read all that comes before a place.
    connection: Any = OfServer()

    def said(newest_first: bool) -> str:
        condition = item_ranges.behind(connection, IN_ORDER, PLACE, newest_first)
        text = str(select(1).where(condition).compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))
        return text.split("WHERE ")[1].replace("item_steps.", "").replace("`", "")

    moment = "'2026-07-01 12:00:00'"
    assert said(False) == f"rank > 0 OR rank = 0 AND (sort_at > {moment} OR sort_at = {moment} AND item_id > 7)"
    assert said(True) == f"rank < 0 OR rank = 0 AND (sort_at < {moment} OR sort_at = {moment} AND item_id < 7)"
    with create_engine("sqlite://").connect() as lite:
        condition = item_ranges.behind(lite, IN_ORDER, PLACE, newest_first=True)
        assert str(condition).startswith("(item_steps.rank, item_steps.sort_at, item_steps.item_id) < (")
