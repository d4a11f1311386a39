"""Notices: what is not as it should be, since when, and until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from janitor.state.tables import notices

BATCH = 200
"""So many notices are deleted at once."""

_OPEN = select(func.count()).select_from(notices).where(notices.c.ended_at.is_(None))


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
    """Note that a notice is repeated. False if it has ended."""
    still = (notices.c.id == notice_id) & notices.c.ended_at.is_(None)
    return connection.execute(update(notices).where(still).values(text=text, run_id=run_id, told_at=now)).rowcount == 1


def end(connection: Connection, notice_id: int, now: datetime) -> bool:
    """Note that a notice's condition holds no longer. False if the notice had ended already."""
    still = (notices.c.id == notice_id) & notices.c.ended_at.is_(None)
    return connection.execute(update(notices).where(still).values(ended_at=now)).rowcount == 1


def prune(connection: Connection, before: datetime) -> int:
    """Delete up to 200 notices that ended before a moment, and their deliveries; how many notices were deleted."""
    old = select(notices.c.id).where(notices.c.ended_at < before).order_by(notices.c.ended_at).limit(BATCH)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(notices).where(notices.c.id.in_(ids)))
    return len(ids)
