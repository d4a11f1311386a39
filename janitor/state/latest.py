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
_SUCCESS = (
    select(func.max(runs.c.id))
    .where(runs.c.job == jobs.c.id, runs.c.outcome == Outcome.SUCCEEDED.value, runs.c.dry_run.is_(False))
    .scalar_subquery()
    .correlate(jobs)
)
_FOUND_NOTHING = (
    select(runs.c.ended_at)
    .where(runs.c.job == jobs.c.id, runs.c.outcome == Outcome.SKIPPED.value, runs.c.dry_run.is_(False))
    # A slot that was skipped, as the last run went on or the job was paused, has no attempts.
    .where(runs.c.attempts > 0, runs.c.id > func.coalesce(_SUCCESS, 0))
    .order_by(runs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs)
)
_IDLE = select(jobs.c.id, _FOUND_NOTHING.label("at")).where(jobs.c.paused_at.is_(None))
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


def signs_of_life(connection: Connection) -> dict[str, datetime]:
    """The last moment, of each job that has one, that counts as a success does for whether it is overdue.

    That is when it was resumed, or when a run of it skipped, as it found nothing to do.
    """
    found = {job: at for job, at in connection.execute(_RESUMED)}
    for job, at in connection.execute(_IDLE):
        if at is not None:
            found[job] = max(at, found.get(job, at))
    return found
