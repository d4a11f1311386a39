"""Notices and their deliveries: what is not as it should be, and what of it each channel has still to tell."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from janitor.state import cursors
from janitor.state.tables import deliveries, notices

BEGAN, REPEATED, ENDED = "began", "repeated", "ended"
DELIVERED, GIVEN_UP = "delivered", "given_up"
POSITION = ":notices"
"""The cursor's name, which no job may have."""
BATCH = 200

_OPEN = select(func.count()).select_from(notices).where(notices.c.ended_at.is_(None))


@dataclass(frozen=True)
class Position:
    """Which records of runs have been looked at: all up to `upto` but those `open`, and of the later ones, `ended`."""

    upto: int = 0
    open: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()

    def has_seen(self, run_id: int) -> bool:
        """Whether the end of a run has been looked at."""
        return run_id in self.ended if run_id > self.upto else run_id not in self.open


def position(connection: Connection) -> Position | None:
    """How far the history has been looked at; None before the first look."""
    saved = cursors.load(connection, POSITION)
    if saved is None:
        return None
    values = json.loads(saved)
    return Position(values["upto"], frozenset(values["open"]), frozenset(values["ended"]))


def save_position(connection: Connection, to: Position, now: datetime) -> None:
    """Replace what `position` gives, in the caller's fenced transaction."""
    text = json.dumps({"upto": to.upto, "open": sorted(to.open), "ended": sorted(to.ended)})
    cursors.save(connection, POSITION, text, now, 0)


def still_open(connection: Connection) -> Sequence[Row[Any]]:
    """The notices that have not ended, the oldest first."""
    return connection.execute(select(notices).where(notices.c.ended_at.is_(None)).order_by(notices.c.id)).all()


def count_open(connection: Connection) -> int:
    """How many notices have not ended."""
    return connection.execute(_OPEN).scalar_one()


def begin(connection: Connection, rule: str, job: str, text: str, run_id: int | None, now: datetime) -> int:
    """Remember that a condition holds from now on; the notice's id."""
    values = {"rule": rule, "job": job, "text": text, "run_id": run_id, "began_at": now, "told_at": now}
    made = connection.execute(insert(notices), values).inserted_primary_key
    return int(made[0]) if made else 0


def tell_again(connection: Connection, notice_id: int, text: str, run_id: int | None, now: datetime) -> bool:
    """Note that a notice is repeated; False where it has ended."""
    still = (notices.c.id == notice_id) & notices.c.ended_at.is_(None)
    return connection.execute(update(notices).where(still).values(text=text, run_id=run_id, told_at=now)).rowcount == 1


def end(connection: Connection, notice_id: int, now: datetime) -> bool:
    """Note that a notice's condition holds no longer; False where it had ended already."""
    still = (notices.c.id == notice_id) & notices.c.ended_at.is_(None)
    return connection.execute(update(notices).where(still).values(ended_at=now)).rowcount == 1


def add(connection: Connection, notice_id: int, channel: str, kind: str, content: str, now: datetime) -> None:
    """Let a channel tell of a notice, in the transaction that says so of the notice itself.

    A repeat is left out where the channel has not come to tell what it should before.
    """
    if kind == REPEATED:
        mine = (deliveries.c.notice_id == notice_id) & (deliveries.c.channel == channel)
        waits = select(deliveries.c.id).where(mine, deliveries.c.outcome.is_(None)).limit(1)
        if connection.execute(waits).scalar() is not None:
            return
    values = {"notice_id": notice_id, "channel": channel, "kind": kind, "content": content}
    connection.execute(insert(deliveries), values | {"added_at": now, "due_at": now, "tries": 0})


def next_of(connection: Connection, channel: str) -> Row[Any] | None:
    """The delivery that a channel tries next, due or not: the oldest; None where none waits."""
    return next(iter(waiting_of(connection, channel, 1)), None)


def waiting_of(connection: Connection, channel: str, limit: int) -> Sequence[Row[Any]]:
    """The deliveries that wait for a channel, due or not, the oldest first."""
    waiting = (deliveries.c.channel == channel) & deliveries.c.outcome.is_(None)
    return connection.execute(select(deliveries).where(waiting).order_by(deliveries.c.id).limit(limit)).all()


def close(connection: Connection, delivery_id: int, outcome: str, now: datetime, reason: str | None) -> bool:
    """Record what became of a delivery after one more try; False where that was recorded already."""
    values = {"outcome": outcome, "ended_at": now, "reason": reason, "tries": deliveries.c.tries + 1}
    still = (deliveries.c.id == delivery_id) & deliveries.c.outcome.is_(None)
    return connection.execute(update(deliveries).where(still).values(values)).rowcount == 1


def put_off(connection: Connection, delivery_id: int, due_at: datetime, reason: str) -> None:
    """Record that a try failed, and when the next one is due."""
    values = {"due_at": due_at, "reason": reason, "tries": deliveries.c.tries + 1}
    still = (deliveries.c.id == delivery_id) & deliveries.c.outcome.is_(None)
    connection.execute(update(deliveries).where(still).values(values))


def of_channels(connection: Connection) -> list[dict[str, Any]]:
    """Each channel that ever had something to tell: how much waits, when it last told, and what is wrong with it.

    `error` is why its oldest waiting delivery failed when it was last tried, or why its newest one was given up.
    """
    table = deliveries.c
    told = func.max(case((table.outcome == DELIVERED, table.ended_at)), type_=table.ended_at.type)
    counted = select(table.channel, told.label("delivered_at")).group_by(table.channel).order_by(table.channel)
    rows = []
    for channel, delivered_at in connection.execute(counted).all():
        mine = table.channel == channel
        waiting = connection.execute(select(func.count()).where(mine, table.outcome.is_(None))).scalar_one()
        oldest, newest = next_of(connection, channel), _last_closed(connection, channel)
        wrong = oldest if oldest is not None and oldest.tries else newest
        failed = wrong is not None and wrong.outcome != DELIVERED
        error, since = (wrong.reason, wrong.added_at) if wrong is not None and failed else (None, None)
        rows.append({"channel": channel, "delivered_at": delivered_at, "waiting": waiting})
        rows[-1] |= {"error": error, "failing_since": since}
    return rows


def _last_closed(connection: Connection, channel: str) -> Row[Any] | None:
    closed = (deliveries.c.channel == channel) & deliveries.c.outcome.is_not(None)
    return connection.execute(select(deliveries).where(closed).order_by(deliveries.c.id.desc()).limit(1)).one_or_none()


def prune(connection: Connection, before: datetime) -> int:
    """Delete up to 200 notices that ended before a moment; how many went. Their deliveries go with them, by key."""
    old = select(notices.c.id).where(notices.c.ended_at < before).order_by(notices.c.id).limit(BATCH)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(notices).where(notices.c.id.in_(ids)))
    return len(ids)
