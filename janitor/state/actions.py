"""Actions: what people did to jobs, who did it and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from janitor.state.tables import actions

RETRIED = "retried"
"""The action of whoever lets steps or replies of a pipeline be tried again."""
RENAMED, WAS = "renamed", "it was "
"""The action of a rename, and how its detail begins; the old id follows."""
LOOKED_AT = 1_000
"""Among so many of the newest actions a rename is looked for."""


def record(connection: Connection, actor: str, action: str, job: str | None, detail: str, now: datetime) -> None:
    """Remember one action; `job` is None if it was on no job."""
    connection.execute(insert(actions).values(at=now, actor=actor, action=action, job=job, detail=detail))


def new_id(connection: Connection, old: str) -> str | None:
    """The id that a job has now, if it was renamed lately, also several times; None if nothing is known of that."""
    found = old
    for row in reversed(listing(connection, limit=LOOKED_AT)):
        if (row.action, row.detail) == (RENAMED, f"{WAS}{found}"):
            found = row.job
    return found if found != old else None


def retried(connection: Connection, after: int | None) -> tuple[int, frozenset[str]]:
    """The newest action's id, and the pipelines of which something was retried after an action, if one is given."""
    newest: int = connection.execute(select(func.coalesce(func.max(actions.c.id), 0))).scalar_one()
    if after is None or newest <= after:
        return newest, frozenset()
    query = select(actions.c.job).where(actions.c.id > after, actions.c.id <= newest, actions.c.action == RETRIED)
    return newest, frozenset(connection.execute(query).scalars())


def listing(connection: Connection, job: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest actions on one job, or on all; the newest first."""
    query = select(actions).order_by(actions.c.id.desc()).limit(limit)
    return connection.execute(query if job is None else query.where(actions.c.job == job)).all()
