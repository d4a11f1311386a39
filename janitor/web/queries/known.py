"""What is read of many jobs at once, so that a list of jobs costs a few statements, however many jobs there are.

A list shows some jobs of all. Of all is read what tells which they are; of those that it shows is read the rest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from janitor.engine import overdue
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.runs import Outcome
from janitor.state import builds, job_records, memories, quarantine, recent
from janitor.state.job_records import JobRecord
from janitor.state.tables import cursors, runs

STRIP, SHORT_STRIP = 30, 10
"""How many runs of a job are read for its strip; the second, of more than `MANY` jobs."""
MANY = 100


@dataclass(frozen=True)
class Latest:
    """What a job's last runs tell: the id of the newest, 0 if there is none; whether a run goes on; if runs fail."""

    newest: int
    runs: bool
    fails: bool


@dataclass(frozen=True)
class Overall:
    """What the state database holds of all jobs, by job; `overdue` tells since when, of those that were asked for."""

    records: Mapping[str, JobRecord]
    successes: Mapping[str, Row[Any]]
    overdue: Mapping[str, datetime]


@dataclass(frozen=True)
class Known(Overall):
    """What it holds of some jobs besides.

    `newest` are the last runs of each, the newest first; `whole` holds those of them that are shown in full, by id.
    """

    now: datetime
    newest: Mapping[str, Sequence[Row[Any]]]
    whole: Mapping[int, Row[Any]]
    cursors: Mapping[str, Row[Any]]
    quarantined: Mapping[str, int]
    standings: Mapping[str, Standing]
    dependents: Mapping[str, Sequence[str]]


def overall_of(connection: Connection, jobs: Collection[Job], now: datetime) -> Overall:
    """Read what is known of all jobs; only of `jobs` whether they are overdue."""
    records, successes = job_records.all_jobs(connection), recent.last_ended(connection, (Outcome.SUCCEEDED,))
    late = overdue.among(jobs, records, successes, recent.signs_of_life(connection), now)
    return Overall(records, successes, late)


def strip_length(jobs: int) -> int:
    """How many runs are read of each job of a house with so many jobs."""
    return STRIP if jobs <= MANY else SHORT_STRIP


def known_of(
    connection: Connection,
    wanted: Sequence[Job],
    all_jobs: Mapping[str, Job],
    now: datetime,
    overall: Overall | None = None,
) -> Known:
    """Read what is known of the wanted jobs, besides what is known `overall`."""
    overall = overall or overall_of(connection, wanted, now)
    names, dependents = [job.id for job in wanted], dependencies.dependents(all_jobs)
    built = [job for job in wanted if job.dependencies or job.id in dependents]
    newest = recent.newest(connection, names, strip_length(len(all_jobs) if len(names) > 1 else 1))
    owner = memories.owners(connection, all_jobs)
    owned = {name: job for name, job in owner.items() if job in names}
    return Known(
        **vars(overall),
        now=now,
        newest=newest,
        whole=_whole(connection, newest),
        cursors=_cursors(connection, owned),
        quarantined=memories.by_owner(quarantine.sizes(connection, list(owned)), owned),
        standings=builds.standings(connection, dependencies.with_dependencies(built)),
        dependents=dependents,
    )


def last_ended(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The newest of some runs, the newest first, that has ended."""
    return next((row for row in rows if row.outcome is not None), None)


def _cursors(connection: Connection, owned: Mapping[str, str]) -> dict[str, Row[Any]]:
    """The cursor of each job; of several, the cursor that has the job's id, or moved last."""
    rows = connection.execute(select(cursors).where(cursors.c.name.in_(owned)).order_by(cursors.c.updated_at)).all()
    ordered = sorted(rows, key=lambda row: row.name == owned[row.name])
    return {owned[row.name]: row for row in ordered}


def _whole(connection: Connection, newest: Mapping[str, Sequence[Row[Any]]]) -> Mapping[int, Row[Any]]:
    """The runs that a list shows in full: runs that go on, and the last ended run of each job."""
    shown = [row.id for rows in newest.values() for row in rows if row.outcome is None or row is last_ended(rows)]
    query: Select[Any] = select(*recent.LINE, runs.c.progress).where(runs.c.id.in_(shown))
    return {row.id: row for row in connection.execute(query)}
