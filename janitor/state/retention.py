"""Forgetting what is old, in deletes so small that nobody waits for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from janitor.state.tables import attempts, run_logs, runs

BATCH = 200


def prune(connection: Connection, before: datetime, keep_runs: int) -> int:
    """Delete up to 200 ended runs that began before a moment, or that each have `keep_runs` newer ones of their job.

    Their logs and attempts go with them. A job's newest record stays, whatever its age: it tells which slots
    are accounted for. How many runs went; call it again until it is 0.
    """
    kept = _newest_slots(connection)
    ids = _older(connection, before, kept) or _surplus(connection, keep_runs, kept)
    if ids:
        for table in (run_logs, attempts):
            connection.execute(delete(table).where(table.c.run_id.in_(ids)))
        connection.execute(delete(runs).where(runs.c.id.in_(ids)))
    return len(ids)


def _newest_slots(connection: Connection) -> list[int]:
    found: list[int] = []
    for job in connection.execute(select(runs.c.job).distinct()).scalars().all():
        of_job = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at.is_not(None))
        found += connection.execute(of_job.order_by(runs.c.slot_at.desc()).limit(1)).scalars().all()
    return found


def _older(connection: Connection, before: datetime, kept: Sequence[int]) -> list[int]:
    query = select(runs.c.id).where(runs.c.started_at < before, runs.c.outcome.is_not(None), runs.c.id.not_in(kept))
    return list(connection.execute(query.order_by(runs.c.id).limit(BATCH)).scalars())


def _surplus(connection: Connection, keep_runs: int, kept: Sequence[int]) -> list[int]:
    counted = select(runs.c.job).group_by(runs.c.job).having(func.count() > keep_runs)
    for job in connection.execute(counted).scalars().all():
        newest = select(runs.c.id).where(runs.c.job == job).order_by(runs.c.id.desc())
        edge = connection.execute(newest.offset(keep_runs - 1).limit(1)).scalar_one()
        old = select(runs.c.id).where(runs.c.job == job, runs.c.id < edge, runs.c.outcome.is_not(None))
        ids = list(connection.execute(old.where(runs.c.id.not_in(kept)).order_by(runs.c.id).limit(BATCH)).scalars())
        if ids:
            return ids
    return []
