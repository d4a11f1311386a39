"""Replies: what is to be told of an item that has ended, written with its last status, and kept until it is told.

A row stands for one reply by one way to one who asked. Whoever sends it takes what it tells from the item.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from janitor.state.item_counts import OF_REPLIES, Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import OPEN
from janitor.state.item_tables import item_replies, items

DUE, SENT, GIVEN_UP = range(3)
NAMES = ("waiting", "sent", "given up")
MOST_ENVELOPES = 100
"""So many who asked for the same item are told; the oldest give way."""


@dataclass(frozen=True)
class Due:
    """A reply to one who asked: `envelope` says how to reach them; None tells all who listen."""

    item_id: int | None
    key: str
    envelope: Mapping[str, Any] | None
    content: Mapping[str, Any] | None = None


def add(connection: Connection, plan: Plan, due: Sequence[Due], now: datetime, but: Collection[str] = ()) -> None:
    """Write replies, one for each who asked and each way of the pipeline's but those of the lanes `but`."""
    rows = [
        {
            "lane": plan.lane(way),
            "state": DUE,
            "due_at": now,
            "pipeline": plan.pipeline,
            "key": one.key,
            "item_id": one.item_id,
            # With escapes: half a character, which JSON may have, is none for a database.
            "content": json.dumps({"envelope": one.envelope, **(one.content or {})}),
            "added_at": now,
            "tries": 0,
        }
        for way in plan.replies
        for one in due
        if plan.lane(way) not in but
    ]
    if rows:
        connection.execute(insert(item_replies), rows)
        changes = Changes(plan.pipeline)
        changes.add(OF_REPLIES, DUE, NAMES[DUE], len(rows))
        changes.write(connection)


def of_ended(connection: Connection, plan: Plan, ids: Sequence[int], now: datetime) -> None:
    """Write the replies for items that have just ended, one for each who asked for them."""
    if not plan.replies or not ids:
        return
    query = select(items.c.id, items.c.key, items.c.envelope).where(items.c.id.in_(ids))
    due: list[Due] = []
    for row in connection.execute(query):
        envelopes = [None] if row.envelope is None else json.loads(row.envelope)
        due += [Due(row.id, row.key, envelope) for envelope in envelopes]
    add(connection, plan, due, now)


def lanes_due(connection: Connection, item_id: int, envelope: Mapping[str, Any] | None) -> set[str]:
    """The lanes in which a reply of an item waits to be sent to whom an envelope names."""
    columns = (item_replies.c.lane, item_replies.c.content)
    query = select(*columns).where(item_replies.c.item_id == item_id, item_replies.c.state == DUE)
    return {row.lane for row in connection.execute(query) if json.loads(row.content)["envelope"] == envelope}


def take_back(connection: Connection, ids: Sequence[int], changes: Changes) -> None:
    """Take back what has not been told of items that had ended, and go on now: it is told at their next end."""
    if not ids:
        return
    columns = (item_replies.c.id, item_replies.c.item_id, item_replies.c.content)
    waiting = (item_replies.c.item_id.in_(ids)) & (item_replies.c.state == DUE)
    rows = connection.execute(select(*columns).where(waiting).order_by(item_replies.c.id)).all()
    if not rows:
        return
    asked: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        asked[row.item_id].append(json.loads(row.content)["envelope"])
    known = select(items.c.id, items.c.envelope).where(items.c.id.in_(list(asked)))
    for item in connection.execute(known).all():
        told, before = ([] if item.envelope is None else json.loads(item.envelope)), list[Any]()
        for one in asked[item.id]:
            if one is not None and one not in told and one not in before:
                before.append(one)
        if before:
            text = json.dumps([*before, *told][-MOST_ENVELOPES:])
            connection.execute(update(items).where(items.c.id == item.id).values(envelope=text))
    gone = item_replies.c.id.in_([row.id for row in rows]) & (item_replies.c.state == DUE)
    changes.add(OF_REPLIES, DUE, NAMES[DUE], -connection.execute(delete(item_replies).where(gone)).rowcount)


def take(connection: Connection, lane: str, now: datetime, most: int) -> Sequence[Row[Any]]:
    """The replies of one way that are due, the longest due first; none of an item that goes on."""
    query = select(item_replies).where(item_replies.c.lane == lane, item_replies.c.state == DUE)
    query = query.where(~exists().where(items.c.id == item_replies.c.item_id, items.c.state == OPEN))
    query = query.where(item_replies.c.due_at <= now).order_by(item_replies.c.due_at).limit(most)
    return connection.execute(query).all()


def note_sent(
    connection: Connection, pipeline: str, ids: Sequence[int], now: datetime, reason: str | None = None
) -> int:
    """Note that replies have reached the other side; how many waited until now. `reason` says why nobody is told."""
    return _end(connection, pipeline, ids, SENT, now, reason)


def give_up(connection: Connection, pipeline: str, ids: Sequence[int], now: datetime, reason: str) -> int:
    """Send replies no more; how many waited until now."""
    return _end(connection, pipeline, ids, GIVEN_UP, now, reason)


def _end(
    connection: Connection, pipeline: str, ids: Sequence[int], state: int, now: datetime, reason: str | None
) -> int:
    if not ids:
        return 0
    waiting = (item_replies.c.id.in_(ids)) & (item_replies.c.state == DUE)
    values = {"state": state, "ended_at": now, "reason": reason, "tries": item_replies.c.tries + 1}
    done = connection.execute(update(item_replies).where(waiting).values(values)).rowcount
    changes = Changes(pipeline)
    changes.move(OF_REPLIES, (DUE, NAMES[DUE]), (state, NAMES[state]), done)
    changes.write(connection)
    return done


def put_off(connection: Connection, reply_id: int, until: datetime, reason: str) -> None:
    """Let a reply wait that could not be delivered."""
    values = {"due_at": until, "reason": reason, "tries": item_replies.c.tries + 1}
    connection.execute(update(item_replies).where(item_replies.c.id == reply_id).values(values))


def try_now(connection: Connection, plan: Plan, now: datetime, most: int, item_id: int | None = None) -> int:
    """Let up to `most` replies that wait for another try, or were given up, be tried at once; how many.

    With `item_id` they are those of one item alone.
    """
    given_up, put_off = (item_replies.c.state == GIVEN_UP), (item_replies.c.state == DUE) & (item_replies.c.tries > 0)
    done = 0
    for own in (given_up, put_off & (item_replies.c.due_at > now)):
        query = select(item_replies.c.id).where(item_replies.c.lane.in_([plan.lane(way) for way in plan.replies]), own)
        if item_id is not None:
            query = query.where(item_replies.c.item_id == item_id)
        ids = connection.execute(query.limit(most - done)).scalars().all()
        values = {"state": DUE, "due_at": now, "ended_at": None}
        number = connection.execute(update(item_replies).where(item_replies.c.id.in_(ids), own).values(values)).rowcount
        if own is given_up:
            changes = Changes(plan.pipeline)
            changes.move(OF_REPLIES, (GIVEN_UP, NAMES[GIVEN_UP]), (DUE, NAMES[DUE]), number)
            changes.write(connection)
        done += number
    return done


def of_item(connection: Connection, item_id: int, most: int = 50) -> Sequence[Row[Any]]:
    """The newest replies of an item."""
    query = select(item_replies).where(item_replies.c.item_id == item_id).order_by(item_replies.c.id.desc())
    return connection.execute(query.limit(most)).all()
