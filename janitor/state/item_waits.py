"""For how long items wait at a step: the one for longest is sought at three ends of the step's rows.

    the first that is ready     in the usual order it has waited for longest
    the last that is ready      it has, if what comes later goes before: of the highest priority, or of an earlier time
    the first that is due       it failed, its moment for another try has come, and no run has taken note of that

So three rows of each step are read, however many wait.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, literal, select, union_all

from janitor.state import item_search
from janitor.state.item_states import LATER, READY
from janitor.state.item_tables import item_steps
from janitor.state.item_wanted import IN_ORDER

TOGETHER = 50
"""One statement asks for so many steps."""
_NOW: BindParameter[datetime] = bindparam("b_now", type_=item_steps.c.sort_at.type)


def longest(connection: Connection, lanes: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Since when an item waits that could be taken, by lane; a lane in which nothing can be taken is left out."""
    found = item_search.oldest_waiting(connection, lanes)
    for at in range(0, len(lanes), TOGETHER):
        for row in connection.execute(_statement(tuple(lanes[at : at + TOGETHER])), {"b_now": now}):
            found[row.lane] = min(row.since_at, found.get(row.lane, row.since_at))
    return found


# SQLAlchemy takes longer to make a statement than a server to answer it.
@functools.lru_cache(maxsize=64)
def _statement(lanes: Sequence[str]) -> Any:
    # A limit within a UNION needs a query around it, on SQLite.
    queries = [query for lane in lanes for query in _of_lane(lane)]
    return union_all(*(select(query.subquery(f"of_{number}")) for number, query in enumerate(queries)))


def _of_lane(lane: str) -> Sequence[Select[Any]]:
    own = item_steps.c.lane == lane
    last = select(literal(lane).label("lane"), item_steps.c.since_at.label("since_at"))
    last = last.where(own, item_steps.c.state == READY).order_by(*(column.desc() for column in IN_ORDER)).limit(1)
    due = select(literal(lane).label("lane"), item_steps.c.sort_at.label("since_at"))
    due = due.where(own, item_steps.c.state == LATER, item_steps.c.rank == 0, item_steps.c.sort_at <= _NOW)
    return last, due.order_by(item_steps.c.sort_at).limit(1)
