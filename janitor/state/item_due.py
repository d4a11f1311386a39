"""Whether there is work: few statements ask for all lanes, and read about one row of each.

step       a row that is READY, that is LATER and whose moment has come, or that a run holds which has ended
reply      a reply that is due

SQLite     one statement, in which each lane is asked for its first row
a server   groups along the index, of which it reads the first entry of each; for 30 questions in one statement it took
           ten times as long
"""

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, literal, select, union_all, update

from janitor.databases.direct import Direct, a_list
from janitor.state.item_replies import DUE
from janitor.state.item_states import LATER, PROCESSING, READY
from janitor.state.item_tables import item_replies, item_steps
from janitor.state.seeks import along
from janitor.state.tables import runs

TOGETHER = 50
"""One statement asks so many questions."""
MOST_GROUPS = 500
"""A server tells so many groups at once."""
LONGEST_WAIT = timedelta(minutes=10)
"""So long a reply is put off at most."""
_NOW: BindParameter[datetime] = bindparam("b_now", type_=item_steps.c.sort_at.type)


_LANES = a_list("lanes")
_GROUPS = Direct(
    along("item_steps_due", item_steps, select(item_steps.c.lane, item_steps.c.state, func.min(item_steps.c.sort_at)))
    .where(item_steps.c.lane.in_(_LANES), item_steps.c.state.between(READY, PROCESSING))
    .group_by(item_steps.c.lane, item_steps.c.state, item_steps.c.rank)
    .order_by(item_steps.c.lane, item_steps.c.state, item_steps.c.rank)
    .limit(bindparam("b_most"))
)
_HELD = Direct(
    select(item_steps.c.lane)
    .distinct()
    .prefix_with("STRAIGHT_JOIN")
    .join_from(item_steps, runs, runs.c.id == item_steps.c.run_id)
    .where(item_steps.c.lane.in_(_LANES), item_steps.c.state == PROCESSING, runs.c.outcome.is_not(None))
)
_FIRST_REPLY = Direct(
    along("item_replies_due", item_replies, select(item_replies.c.lane, func.min(item_replies.c.due_at)))
    .where(item_replies.c.lane.in_(_LANES), item_replies.c.state == DUE)
    .group_by(item_replies.c.lane, item_replies.c.state)
)


def steps(connection: Connection, lanes: Sequence[str], now: datetime) -> set[str]:
    """The lanes with items that a run could take now."""
    if connection.dialect.name == "sqlite":
        return _asked(connection, _of_steps(tuple(lanes)), now)
    due, held, left = set[str](), set[str](), sorted(lanes)
    while left:
        groups = _GROUPS.rows(connection, {"lanes": left, "b_most": MOST_GROUPS})
        due |= {lane for lane, state, first in groups if state == READY or (state == LATER and first <= now)}
        held |= {lane for lane, state, _ in groups if state == PROCESSING}
        # What is READY has a group for each priority, and comes first.
        left = [lane for lane in left if lane > groups[-1][0]] if len(groups) == MOST_GROUPS else []
    if held := held - due:
        due |= {lane for lane, in _HELD.rows(connection, {"lanes": sorted(held)})}
    return due


def replies(connection: Connection, lanes: Sequence[str], now: datetime) -> set[str]:
    """The lanes with replies that are due."""
    if connection.dialect.name == "sqlite":
        return _asked(connection, _of_replies(tuple(lanes)), now)
    return {lane for lane, first in _FIRST_REPLY.rows(connection, {"lanes": lanes}) if first <= now} if lanes else set()


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
