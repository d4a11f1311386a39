"""Starts: what a run must know when it begins, in one statement, since a thousand may begin in one second."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal, select

from janitor.state.leases import job_lease
from janitor.state.tables import jobs, leases, runs

_ONE = select(literal(1).label("one")).subquery("one")
_PAUSED = select(jobs.c.paused_at).where(jobs.c.id == bindparam("b_job")).scalar_subquery()
_RUNNING = (
    select(runs.c.id).where(runs.c.job == bindparam("b_job"), runs.c.outcome.is_(None)).limit(1).scalar_subquery()
)
_LOOK = select(_PAUSED.label("paused_at"), _RUNNING.label("running"), leases).select_from(
    _ONE.outerjoin(leases, leases.c.name == bindparam("b_lease"))
)


@dataclass(frozen=True)
class StartFacts:
    """Whether a job is paused; its run without an outcome; its lease, None before the first."""

    paused: bool
    running: int | None
    lease: Row[Any] | None


def look(connection: Connection, job: str) -> StartFacts:
    """The facts at this moment; nothing is locked."""
    row = connection.execute(_LOOK, {"b_job": job, "b_lease": job_lease(job)}).one()
    return StartFacts(
        paused=row.paused_at is not None, running=row.running, lease=row if row.name is not None else None
    )
