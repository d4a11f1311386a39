"""Whether there is work: few statements ask for all lanes, and read about one row of each.

step       a row that is READY, that is LATER and whose moment has come, or that a run holds which has ended
reply      a reply that is due

SQLite     one statement, which looks for the first row of each lane
a server   groups along the index, of which it reads the first entry of each; for 30 questions in one statement it took
           ten times as long
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from janitor.databases.direct import Direct, a_list, a_table, as_json
from janitor.state.item_replies import DUE
from janitor.state.item_states import LATER, PROCESSING, READY
from janitor.state.item_tables import item_replies, item_steps
from janitor.state.seeks import along
from janitor.state.tables import runs

MOST_GROUPS = 500
"""A server tells so many groups at once."""
LONGEST_WAIT = timedelta(minutes=10)
"""So long a reply is put off at most."""
_NOW = bindparam("b_now", type_=item_steps.c.sort_at.type)
_LANES = a_list("lanes")
_, (_GIVEN,) = a_table("sqlite", "b_lanes", [item_steps.c.lane.type])
_OWN = item_steps.c.lane == _GIVEN
_FIRSTS = Direct(
    select(_GIVEN).where(
        or_(
            exists().where(_OWN, item_steps.c.state == READY),
            exists().where(_OWN, item_steps.c.state == LATER, item_steps.c.rank == 0, item_steps.c.sort_at <= _NOW),
            exists().where(
                *(_OWN, item_steps.c.state == PROCESSING),
                *(runs.c.id == item_steps.c.run_id, runs.c.outcome.is_not(None)),
            ),
        )
    )
)
_FIRST_REPLIES = Direct(
    select(_GIVEN).where(
        exists().where(item_replies.c.lane == _GIVEN, item_replies.c.state == DUE, item_replies.c.due_at <= _NOW)
    )
)
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
        return _asked(connection, _FIRSTS, lanes, now)
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
        return _asked(connection, _FIRST_REPLIES, lanes, now)
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


def _asked(connection: Connection, query: Direct, lanes: Sequence[str], now: datetime) -> set[str]:
    found = query.rows(connection, {"b_lanes": as_json([[lane] for lane in lanes]), "b_now": now})
    return {lane for lane, in found}
