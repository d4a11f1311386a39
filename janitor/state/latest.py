"""Each job's latest runs of some outcomes, by one statement that looks a few rows up for each job."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from janitor.runs import Outcome
from janitor.state.tables import actions, jobs, runs

COMPLETED = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT)
"""The outcomes of a run that nobody stopped from outside."""

_NEWEST = (
    select(runs.c.id)
    .where(runs.c.job == jobs.c.id, runs.c.outcome == bindparam("b_outcome"), runs.c.dry_run.is_(False))
    .order_by(runs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs)
)
_IDS = select(_NEWEST.label("id")).select_from(jobs).subquery("newest")
_COLUMNS: tuple[Any, ...] = (runs.c.id, runs.c.job, runs.c.outcome, runs.c.started_at, runs.c.ended_at, runs.c.seconds)
_ROWS = select(*_COLUMNS).select_from(_IDS.join(runs, runs.c.id == _IDS.c.id))
_RESUMED = (
    select(actions.c.job, func.max(actions.c.at, type_=actions.c.at.type))
    .where(actions.c.action == "resumed", actions.c.job.is_not(None))
    .group_by(actions.c.job)
)


def of_outcomes(connection: Connection, outcomes: Collection[Outcome]) -> dict[str, Row[Any]]:
    """The newest run of each job that ended with one of the outcomes: id, job, outcome, started_at, ended_at, seconds.

    Dry runs do not count.
    """
    found: dict[str, Row[Any]] = {}
    for outcome in outcomes:
        for row in connection.execute(_ROWS, {"b_outcome": outcome.value}):
            if row.job not in found or found[row.job].id < row.id:
                found[row.job] = row
    return found


def resumed(connection: Connection) -> dict[str, datetime]:
    """When each job was last resumed, of those that ever were."""
    return {job: at for job, at in connection.execute(_RESUMED)}
