"""Ranges of indexes: their rows come page by page, in the order of the index, and no other row is looked at.

    one range       pipeline.match, FAILED        x x x | x x x | x ...      a page begins behind the place of the last
    several         pipeline.match, FAILED        x   x     x
                    pipeline.fetch, FAILED          y   y   y                merged by their places: x y x y y x

An item may have rows in several ranges. It stands where the last of them is.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, bindparam, func, or_, select, tuple_

from janitor.state.item_tables import items
from janitor.state.seeks import along

Place = tuple[Any, ...]
"""Where a row stands in its range: the values by which the range is ordered; no two rows have the same."""
Standing = tuple[Place, int]
"""A row's place, and its item."""
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Range:
    """Rows of a table that stand together in an index, in the order of the columns `order`.

    All have the values `same`. `more` is what is asked of them besides: rows for which it is not so are passed over.
    `id` is the item's.
    """

    table: Table
    index: str
    id: ColumnElement[int]
    order: tuple[ColumnElement[Any], ...]
    same: Mapping[str, Any]
    more: tuple[ColumnElement[bool], ...] = ()

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """What is so of its rows."""
        return [*(self.table.c[name] == value for name, value in self.same.items()), *self.more]

    def has(self, row: Row[Any]) -> bool:
        """Whether a row of one of its items is one of its rows."""
        return all(getattr(row, name) == value for name, value in self.same.items())

    def page(self, connection: Connection, place: Place | None, most: int, newest_first: bool) -> list[Standing]:
        """The first rows behind a place, or at the beginning if it is None."""
        query = along(self.index, self.table, select(*self.order, self.id.label("item"))).where(*self.where)
        if place is not None:
            query = query.where(behind(connection, self.order, place, newest_first))
        ordered = [column.desc() if newest_first else column for column in self.order]
        return [(tuple(row[:-1]), row.item) for row in connection.execute(query.order_by(*ordered).limit(most))]

    def some(self, connection: Connection, most: int) -> Sequence[int]:
        """Up to so many of its items."""
        return [row.item for row in connection.execute(self._some(most))]

    def count(self, connection: Connection, most: int) -> int:
        """How many rows it has; it counts no further than `most`."""
        return int(connection.execute(select(func.count()).select_from(self._some(most).subquery())).scalar_one())

    def _some(self, most: int) -> Select[Any]:
        return along(self.index, self.table, select(self.id.label("item"))).where(*self.where).limit(most)


def behind(
    connection: Connection, order: Sequence[ColumnElement[Any]], place: Place, newest_first: bool
) -> ColumnElement[bool]:
    """What stands behind a place, so that the database begins to read there."""
    values = [bindparam(None, value, type_=column.type) for column, value in zip(order, place, strict=True)]
    return stands_behind(connection.dialect.name, order, values, newest_first)


def stands_behind(
    dialect: str, order: Sequence[ColumnElement[Any]], values: Sequence[ColumnElement[Any]], newest_first: bool
) -> ColumnElement[bool]:
    """As `behind`, for a statement that is made once: `values` are the parameters for the place."""
    if dialect == "sqlite":
        return tuple_(*order) < tuple_(*values) if newest_first else tuple_(*order) > tuple_(*values)
    # MySQL and MariaDB find their way along an index by no comparison of rows.
    *before, (last, value) = zip(order, values, strict=True)
    found = last < value if newest_first else last > value
    for column, value in reversed(before):
        found = or_(column < value if newest_first else column > value, and_(column == value, found))
    return found


def place_of(connection: Connection, ranges: Sequence[Range], item_id: int) -> Place | None:
    """Where an item stands; None if it stands in none of the ranges."""
    return _places(connection, ranges, [item_id]).get(item_id)


@dataclass(frozen=True)
class Page:
    """Items in their order; the next page begins behind `place`. `is_last` says that there is none."""

    items: Sequence[int]
    place: Place | None
    is_last: bool


def page(connection: Connection, ranges: Sequence[Range], place: Place | None, most: int, newest_first: bool) -> Page:
    """The items of some ranges behind a place, in their order, each of them once: up to `most`, perhaps none."""
    pages = [one.page(connection, place, most, newest_first) for one in ranges]
    merged = list(islice(heapq.merge(*pages, reverse=newest_first), most))
    found = dict.fromkeys(item for _, item in merged)
    if not are_disjoint(ranges):
        places = _places(connection, ranges, list(found))
        found = dict.fromkeys(item for at, item in merged if places.get(item) == at)
    return Page(list(found), merged[-1][0] if merged else place, len(merged) < most)


def count(connection: Connection, ranges: Sequence[Range], most: int) -> int:
    """How many items stand in some ranges; it counts no further than `most`."""
    if are_disjoint(ranges):
        return min(most, sum(one.count(connection, most) for one in ranges))
    found = set[int]()
    for one in ranges:
        found.update(one.some(connection, most))
        if len(found) >= most:
            return most
    return len(found)


def are_disjoint(ranges: Sequence[Range]) -> bool:
    """Whether no item can stand in two of these ranges."""
    return len(ranges) < 2 or ranges[0].table is items


def _places(connection: Connection, ranges: Sequence[Range], ids: Sequence[int]) -> dict[int, Place]:
    """Where each of some items stands."""
    one, found = ranges[0], dict[int, Place]()
    columns = [one.table.c[name] for name in one.same]
    # Which of an item's rows stand in the ranges is not asked: SQLite would look through all rows of a range.
    query = select(*one.order, *(column for column in columns if column not in one.order), one.id.label("item"))
    for at in range(0, len(ids), IDS_AT_ONCE):
        rows: Sequence[Any] = connection.execute(query.where(one.id.in_(ids[at : at + IDS_AT_ONCE]))).all()
        for row in rows:
            place: Place = tuple(row[: len(one.order)])
            if None not in place and any(each.has(row) for each in ranges):
                found[row.item] = max(place, found.get(row.item, place))
    return found
