"""Finding items, and what is kept of them: an item's steps and attempts, and which has waited for longest.

A page of items has the newest first. It is read along an index from the place on at which the page before has ended.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, literal, select, union_all

from janitor.state import item_ranges
from janitor.state.item_ranges import Place, Range, place_of
from janitor.state.item_states import READY
from janitor.state.item_tables import item_attempts, item_steps, items
from janitor.state.item_wanted import IN_ORDER, Wanted, of_item, of_step, ranges

__all__ = ["Walk", "Wanted", "among", "attempts", "count", "find", "of_ids", "oldest_waiting", "one", "steps"]

IDS_AT_ONCE = 500
LANES_AT_ONCE = 50
_TOLD = [column for column in items.c if column.name not in ("args", "envelope", "secrets")]


def find(connection: Connection, wanted: Wanted, after: int | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """Items that are wanted, the newest first; without their arguments, and without secrets.

    The newest item has the highest id. Of items that are done or failed it is the one that ended last. Of a step's rows
    in one state it is the last in their order: what came last to its end, or what is taken last. Of very many keys that
    begin alike it is the last key. `after` is the id of the last item of the page before. If it stands elsewhere now,
    the first page comes again.

    Raises:
        BadSetting: there is no such state, or the key cannot be looked for.
    """
    found = _some(connection, wanted, after, limit)
    rows = {row.id: row for row in _rows(connection, found)}
    return [rows[item_id] for item_id in found if item_id in rows]


class Walk:
    """Goes once through all items that are wanted, the other way round than `find`.

    What becomes meanwhile of those it has found changes nothing.
    """

    def __init__(self, wanted: Wanted) -> None:
        """Nothing is read yet."""
        self._wanted = wanted
        self._ranges: Sequence[Range] | None = None
        self._place: Place | None = None
        self._is_over = False

    def next(self, connection: Connection, most: int) -> list[int]:
        """The next ids, up to so many; none once all have been found.

        Raises:
            BadSetting: as `find` does.
        """
        if self._ranges is None:
            self._ranges = ranges(connection, self._wanted)
        found = list[int]()
        while not found and not self._is_over:
            page = item_ranges.page(connection, self._ranges, self._place, most, newest_first=False)
            found, self._place, self._is_over = list(page.items), page.place, page.is_last
        return found


def among(connection: Connection, wanted: Wanted, some: Sequence[int]) -> list[int]:
    """Those of some items that are wanted, in their order.

    Raises:
        BadSetting: as `find` does.
    """
    asked = of_step(connection, wanted)
    conditions = [items.c.pipeline == wanted.pipeline, *of_item(wanted), *([] if asked is None else [asked.is_so()])]
    # Told beside the id, and not asked for: SQLite would look through the whole pipeline.
    query, found = select(items.c.id, and_(*conditions).label("is_so")), set[int]()
    for at in range(0, len(some), IDS_AT_ONCE):
        rows = connection.execute(query.where(items.c.id.in_(some[at : at + IDS_AT_ONCE])))
        found.update(row.id for row in rows if row.is_so)
    return [item_id for item_id in some if item_id in found]


def count(connection: Connection, wanted: Wanted, most: int = 10_000) -> int:
    """How many items are wanted; it counts no further than `most`.

    Raises:
        BadSetting: as `find` does.
    """
    return item_ranges.count(connection, ranges(connection, wanted), most)


def one(connection: Connection, pipeline: str, key: str) -> Row[Any] | None:
    """An item by its key, with its arguments and whom to answer, and without its secrets; None if there is none."""
    columns: list[Any] = [*_TOLD, items.c.args, items.c.envelope]
    query = select(*columns).where(items.c.pipeline == pipeline, items.c.key == key)
    return connection.execute(query).one_or_none()


def of_ids(connection: Connection, some: Sequence[int]) -> list[Row[Any]]:
    """Items by their ids, as `one` gives them, in the order of the ids; those that are gone are left out."""
    columns: list[Any] = [*_TOLD, items.c.args, items.c.envelope]
    query, found = select(*columns), list[Row[Any]]()
    for at in range(0, len(some), IDS_AT_ONCE):
        found += connection.execute(query.where(items.c.id.in_(some[at : at + IDS_AT_ONCE])).order_by(items.c.id))
    return found


def steps(connection: Connection, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """The rows of the steps of some items, by item, in the order of their names."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for at in range(0, len(ids), IDS_AT_ONCE):
        own = item_steps.c.item_id.in_(ids[at : at + IDS_AT_ONCE])
        for row in connection.execute(select(item_steps).where(own).order_by(item_steps.c.item_id, item_steps.c.step)):
            found[row.item_id].append(row)
    return dict(found)


def attempts(connection: Connection, item_id: int, limit: int = 100) -> Sequence[Row[Any]]:
    """The newest attempts of an item, the newest first."""
    query = select(item_attempts).where(item_attempts.c.item_id == item_id).order_by(item_attempts.c.id.desc())
    return connection.execute(query.limit(limit)).all()


def oldest_waiting(connection: Connection, lanes: Sequence[str]) -> dict[str, datetime]:
    """Since when the item waits that comes first in each lane; a lane in which nothing can be taken is left out."""
    found: dict[str, datetime] = {}
    for at in range(0, len(lanes), LANES_AT_ONCE):
        queries = [
            select(literal(lane).label("lane"), item_steps.c.since_at)
            .where(item_steps.c.lane == lane, item_steps.c.state == READY)
            .order_by(*IN_ORDER)
            .limit(1)
            .subquery()
            for lane in lanes[at : at + LANES_AT_ONCE]
        ]
        # A limit within a UNION needs a query around it, on SQLite.
        found.update((row.lane, row.since_at) for row in connection.execute(union_all(*map(select, queries))))
    return found


def _some(connection: Connection, wanted: Wanted, after: int | None, limit: int) -> list[int]:
    of_index, found = ranges(connection, wanted), list[int]()
    place: Place | None = None
    if after is not None and of_index:
        is_by_id = of_index[0].order[0] is items.c.id
        place = (after,) if is_by_id else place_of(connection, of_index, after)
    is_over = not of_index
    while len(found) < limit and not is_over:
        page = item_ranges.page(connection, of_index, place, limit, newest_first=True)
        place, is_over = page.place, page.is_last
        found += page.items
    return found[:limit]


def _rows(connection: Connection, ids: Sequence[int]) -> Iterator[Row[Any]]:
    for at in range(0, len(ids), IDS_AT_ONCE):
        yield from connection.execute(select(*_TOLD).where(items.c.id.in_(ids[at : at + IDS_AT_ONCE])))
