"""Retention: what is old is deleted, in steps so small that nobody waits for them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from janitor.state.tables import actions, attempts, results, run_logs, run_uses, runs

BATCH = 200
"""So many runs are deleted at once."""
LINES = 500
"""So many log lines, or actions, are deleted at once."""


@dataclass(frozen=True)
class Bounds:
    """Which runs may be deleted: ended runs that began `before` a moment, or with `keep_runs` newer runs of their job.

    `jobs` are the only jobs meant; None means all. No run of a job in `without` is deleted, no run in `spared`, and no
    run whose cleanup has failed. The run with a job's newest slot stays, however old: it tells which slots have an
    outcome.
    """

    before: datetime
    keep_runs: int
    spared: Collection[int] = ()
    jobs: Collection[str] | None = None
    without: Collection[str] = ()


def prune(connection: Connection, bounds: Bounds) -> int:
    """Delete up to 200 runs with all that is kept of them; how many were deleted. Call it until it returns 0."""
    ids = expired(connection, bounds)
    remove(connection, ids)
    return len(ids)


def expired(connection: Connection, bounds: Bounds) -> list[int]:
    """Up to 200 runs that may be deleted."""
    known = connection.execute(select(runs.c.job).distinct()).scalars().all()
    jobs = [job for job in known if (bounds.jobs is None or job in bounds.jobs) and job not in bounds.without]
    kept = [*newest_slots(connection, jobs), *bounds.spared]
    return _older(connection, bounds, jobs, kept) or _surplus(connection, bounds.keep_runs, jobs, kept)


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Delete runs with all that is kept of them."""
    if ids:
        for table in (run_logs, attempts, results, run_uses):
            connection.execute(delete(table).where(table.c.run_id.in_(ids)))
        connection.execute(delete(runs).where(runs.c.id.in_(ids)))


def newest_slots(connection: Connection, jobs: Sequence[str]) -> list[int]:
    """For each job, the run with its newest slot."""
    found: list[int] = []
    for job in jobs:
        of_job = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at.is_not(None))
        found += connection.execute(of_job.order_by(runs.c.slot_at.desc()).limit(1)).scalars().all()
    return found


def prune_logs(connection: Connection, levels: Collection[str], before: datetime) -> int:
    """Delete up to 500 older log lines of these levels; how many were deleted. Call it until it returns 0."""
    found = select(run_logs.c.id).where(run_logs.c.level.in_(levels), run_logs.c.at < before).limit(LINES)
    ids = connection.execute(found).scalars().all()
    if ids:
        connection.execute(delete(run_logs).where(run_logs.c.id.in_(ids)))
    return len(ids)


def prune_actions(connection: Connection, before: datetime) -> int:
    """Delete up to 500 older actions; how many were deleted. Call it until it returns 0."""
    found = select(actions.c.id).where(actions.c.at < before).order_by(actions.c.at).limit(LINES)
    ids = connection.execute(found).scalars().all()
    if ids:
        connection.execute(delete(actions).where(actions.c.id.in_(ids)))
    return len(ids)


def _older(connection: Connection, bounds: Bounds, jobs: Sequence[str], kept: Sequence[int]) -> list[int]:
    query = select(runs.c.id).where(runs.c.started_at < bounds.before, *_may_go(kept))
    if bounds.jobs is not None or bounds.without:
        query = query.where(runs.c.job.in_(jobs))
    return list(connection.execute(query.order_by(runs.c.id).limit(BATCH)).scalars())


def _surplus(connection: Connection, keep_runs: int, jobs: Sequence[str], kept: Sequence[int]) -> list[int]:
    counted = select(runs.c.job).group_by(runs.c.job).having(func.count() > keep_runs)
    for job in (job for job in connection.execute(counted).scalars().all() if job in jobs):
        newest = select(runs.c.id).where(runs.c.job == job).order_by(runs.c.id.desc())
        edge = connection.execute(newest.offset(keep_runs - 1).limit(1)).scalar_one()
        old = select(runs.c.id).where(runs.c.job == job, runs.c.id < edge, *_may_go(kept))
        ids = list(connection.execute(old.order_by(runs.c.id).limit(BATCH)).scalars())
        if ids:
            return ids
    return []


def _may_go(kept: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    return runs.c.outcome.is_not(None), runs.c.kept_because.is_(None), runs.c.id.not_in(kept)
