"""Whether there is work: one statement asks for all lanes, and reads at most one row of each.

step       the first row that is READY, that is LATER and whose moment has come, or that a run holds which has ended
reply      the first reply that is due
"""

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, literal, select, union_all, update

from janitor.state.item_replies import DUE
from janitor.state.item_states import LATER, PROCESSING, READY
from janitor.state.item_tables import item_replies, item_steps
from janitor.state.tables import runs

TOGETHER = 50
"""One statement asks so many questions."""
LONGEST_WAIT = timedelta(minutes=10)
"""So long a reply is put off at most."""
_NOW: BindParameter[datetime] = bindparam("b_now", type_=item_steps.c.sort_at.type)


def steps(connection: Connection, lanes: Sequence[str], now: datetime) -> set[str]:
    """The lanes with items that a run could take now."""
    return _asked(connection, _of_steps(tuple(lanes)), now)


def replies(connection: Connection, lanes: Sequence[str], now: datetime) -> set[str]:
    """The lanes with replies that are due."""
    return _asked(connection, _of_replies(tuple(lanes)), now)


def bring_forward(connection: Connection, lanes: Sequence[str], now: datetime) -> int:
    """Let what waits for another try be tried now if it began to wait in the future; how many rows.

    They were written by a clock that was ahead, and has been set back since: they would wait for all of that time.
    """
    waits = (item_steps.c.state == LATER) & (item_steps.c.since_at > now)
    steps = update(item_steps).where(item_steps.c.lane.in_(lanes), waits).values(sort_at=now, since_at=now)
    far = (item_replies.c.state == DUE) & (item_replies.c.due_at > now + LONGEST_WAIT)
    replies = update(item_replies).where(item_replies.c.lane.in_(lanes), far).values(due_at=now)
    return sum(connection.execute(one).rowcount for one in (steps, replies))


def _asked(connection: Connection, statements: Sequence[Any], now: datetime) -> set[str]:
    return {lane for statement in statements for lane in connection.execute(statement, {"b_now": now}).scalars()}


# SQLAlchemy takes longer to make a statement than a server to answer it.
@functools.lru_cache(maxsize=64)
def _of_steps(lanes: Sequence[str]) -> Sequence[Any]:
    return _together([query for lane in lanes for query in _of_step(lane)])


@functools.lru_cache(maxsize=64)
def _of_replies(lanes: Sequence[str]) -> Sequence[Any]:
    due = (item_replies.c.state == DUE) & (item_replies.c.due_at <= _NOW)
    return _together([select(literal(lane)).where(item_replies.c.lane == lane, due).limit(1) for lane in lanes])


def _of_step(lane: str) -> Sequence[Select[Any]]:
    own = select(literal(lane)).where(item_steps.c.lane == lane)
    ready = own.where(item_steps.c.state == READY).limit(1)
    later = own.where(item_steps.c.state == LATER, item_steps.c.rank == 0, item_steps.c.sort_at <= _NOW).limit(1)
    held = own.join(runs, runs.c.id == item_steps.c.run_id)
    held = held.where(item_steps.c.state == PROCESSING, runs.c.outcome.is_not(None)).limit(1)
    return ready, later, held


def _together(queries: Sequence[Select[Any]]) -> Sequence[Any]:
    # A limit within a UNION needs a query around it, on SQLite.
    return [
        union_all(*(select(one.subquery()) for one in queries[at : at + TOGETHER]))
        for at in range(0, len(queries), TOGETHER)
    ]
