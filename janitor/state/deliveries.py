"""Deliveries: what each channel has still to tell of a notice, and what became of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from janitor.state.seeks import along
from janitor.state.tables import deliveries

BEGAN, REPEATED, ENDED = "began", "repeated", "ended"
DELIVERED, GIVEN_UP = "delivered", "given_up"


def add(connection: Connection, notice_id: int, channel: str, kind: str, content: str, now: datetime) -> None:
    """Let a channel tell of a notice, in the transaction that changes the notice itself.

    A repeat is left out if an earlier delivery of the notice still waits for this channel.
    """
    if kind == REPEATED:
        mine = (deliveries.c.notice_id == notice_id) & (deliveries.c.channel == channel)
        waits = select(deliveries.c.id).where(mine, deliveries.c.outcome.is_(None)).limit(1)
        if connection.execute(waits).scalar() is not None:
            return
    values = {
        "notice_id": notice_id,
        "channel": channel,
        "kind": kind,
        "content": content,
        "added_at": now,
        "due_at": now,
        "tries": 0,
    }
    connection.execute(insert(deliveries), values)


def next_of(connection: Connection, channel: str) -> Row[Any] | None:
    """The oldest delivery that waits for a channel, due or not; None if none waits."""
    return next(iter(waiting_of(connection, channel, 1)), None)


def waiting_of(connection: Connection, channel: str, limit: int) -> Sequence[Row[Any]]:
    """The deliveries that wait for a channel, due or not, the oldest first."""
    waiting = (deliveries.c.channel == channel) & deliveries.c.outcome.is_(None)
    return connection.execute(select(deliveries).where(waiting).order_by(deliveries.c.id).limit(limit)).all()


def close(connection: Connection, delivery_id: int, outcome: str, now: datetime, reason: str | None) -> bool:
    """Record what became of a delivery after one more try. False if that was recorded already."""
    values = {"outcome": outcome, "ended_at": now, "reason": reason, "tries": deliveries.c.tries + 1}
    still = (deliveries.c.id == delivery_id) & deliveries.c.outcome.is_(None)
    return connection.execute(update(deliveries).where(still).values(values)).rowcount == 1


def put_off(connection: Connection, delivery_id: int, due_at: datetime, reason: str) -> None:
    """Record that a try failed, and when the next try is due."""
    values = {"due_at": due_at, "reason": reason, "tries": deliveries.c.tries + 1}
    still = (deliveries.c.id == delivery_id) & deliveries.c.outcome.is_(None)
    connection.execute(update(deliveries).where(still).values(values))


def forget_waiting(connection: Connection) -> None:
    """Delete all deliveries that wait, for every channel."""
    connection.execute(delete(deliveries).where(deliveries.c.outcome.is_(None)))


def of_channels(connection: Connection) -> list[dict[str, Any]]:
    """Each channel that ever had something to tell: how much waits, when it last told something, and its error.

    `error` is why its oldest waiting delivery failed, if it was tried, or else why its newest delivery was given up.
    """
    return [_of_channel(connection, channel) for channel in _channels(connection)]


def _of_channel(connection: Connection, channel: str) -> dict[str, Any]:
    waits = select(func.count()).where(deliveries.c.channel == channel, deliveries.c.outcome.is_(None))
    delivered, given_up = (_last_with(connection, channel, outcome) for outcome in (DELIVERED, GIVEN_UP))
    oldest = next_of(connection, channel)
    wrong = given_up if given_up and (delivered is None or delivered.id < given_up.id) else None
    wrong = oldest if oldest is not None and oldest.tries else wrong
    return {
        "channel": channel,
        "delivered_at": delivered.ended_at if delivered else None,
        "waiting": connection.execute(waits).scalar_one(),
        "error": wrong.reason if wrong else None,
        "failing_since": wrong.added_at if wrong else None,
    }


def _channels(connection: Connection) -> Iterator[str]:
    """From channel to channel along an index: there may be years of deliveries."""
    name: str | None = ""
    while name is not None:
        query = select(deliveries.c.channel).where(deliveries.c.channel > name)
        name = connection.execute(query.order_by(deliveries.c.channel).limit(1)).scalar_one_or_none()
        if name is not None:
            yield name


def _last_with(connection: Connection, channel: str, outcome: str) -> Row[Any] | None:
    """The newest delivery of a channel with an outcome."""
    mine = select(deliveries).where(deliveries.c.channel == channel, deliveries.c.outcome == outcome)
    mine = along("deliveries_of_channel", deliveries, mine)
    return connection.execute(mine.order_by(deliveries.c.id.desc()).limit(1)).one_or_none()
