"""Starts: what a run must know when it begins, in one statement, since a thousand may begin in one second."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal, select

from janitor.state.leases import job_lease
from janitor.state.tables import jobs, leases, runs

_ONE = select(literal(1).label("one")).subquery("one")
_PAUSED = select(jobs.c.paused_at).where(jobs.c.id == bindparam("b_job")).scalar_subquery()
_RUNNING = (
    select(runs.c.id).where(runs.c.job == bindparam("b_job"), runs.c.outcome.is_(None)).limit(1).scalar_subquery()
)
# No slot is earlier than NULL: a run without a slot finds nothing.
_UNTIL = (
    select(runs.c.slot_until_at)
    .where(runs.c.job == bindparam("b_job"), runs.c.slot_at <= bindparam("b_slot", type_=runs.c.slot_at.type))
    .order_by(runs.c.slot_at.desc())
    .limit(1)
    .scalar_subquery()
)
_LOOK = select(_PAUSED.label("paused_at"), _RUNNING.label("running"), _UNTIL.label("until_at"), leases).select_from(
    _ONE.outerjoin(leases, leases.c.name == bindparam("b_lease"))
)


@dataclass(frozen=True)
class StartFacts:
    """Whether a job is paused; its run without an outcome; its lease, None before the first; whether its slot is over.

    A slot is over if it has an outcome, or lies in a stretch of slots without a run.
    """

    paused: bool
    running: int | None
    lease: Row[Any] | None
    slot_is_over: bool = False


def look(connection: Connection, job: str, slot_at: datetime | None = None) -> StartFacts:
    """The facts at this moment, before a run for a slot; nothing is locked."""
    row = connection.execute(_LOOK, {"b_job": job, "b_lease": job_lease(job), "b_slot": slot_at}).one()
    return StartFacts(
        paused=row.paused_at is not None,
        running=row.running,
        lease=row if row.name is not None else None,
        slot_is_over=slot_at is not None and row.until_at is not None and row.until_at >= slot_at,
    )
