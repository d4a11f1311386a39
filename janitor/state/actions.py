"""Actions: what people did to jobs, who did it and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from janitor.state.tables import actions


def record(connection: Connection, actor: str, action: str, job: str | None, detail: str, now: datetime) -> None:
    """Remember one action; `job` is None if it was on no job."""
    connection.execute(insert(actions).values(at=now, actor=actor, action=action, job=job, detail=detail))


def listing(connection: Connection, job: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest actions on one job, or on all; the newest first."""
    query = select(actions).order_by(actions.c.id.desc()).limit(limit)
    return connection.execute(query if job is None else query.where(actions.c.job == job)).all()
