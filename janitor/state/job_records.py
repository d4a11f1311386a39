"""Job records: since when each job is enabled, and whether it is paused; kept between starts."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from janitor.state.tables import jobs, runs

TOGETHER = 500
_RECORDS = select(jobs.c.id, jobs.c.schedule, jobs.c.enabled, jobs.c.enabled_at, jobs.c.paused_at, jobs.c.paused_by)


@dataclass(frozen=True)
class JobRecord:
    """A job in the state database; since `enabled_at` it is enabled, with this schedule."""

    id: str
    schedule: str
    enabled: bool
    enabled_at: datetime
    paused_at: datetime | None
    paused_by: str | None


def all_jobs(connection: Connection) -> dict[str, JobRecord]:
    """The records of all jobs that a daemon ever had, by id."""
    return {row.id: JobRecord(*row) for row in connection.execute(_RECORDS)}


def is_on_record(connection: Connection, job: str) -> bool:
    """Whether anything is kept of a job: its record, or a run."""
    found = connection.execute(select(jobs.c.id).where(jobs.c.id == job)).scalar()
    return (
        found is not None or connection.execute(select(runs.c.id).where(runs.c.job == job).limit(1)).first() is not None
    )


def remember(
    connection: Connection,
    schedules: Mapping[str, tuple[str, bool]],
    now: datetime,
    is_same: Callable[[str, str], bool] = lambda job, known: False,
) -> dict[str, JobRecord]:
    """Bring the records up to the jobs of now, id -> (schedule, enabled); return the records from before.

    Jobs that are not among them are remembered as not enabled: until they come back, they owe nothing. `is_same` tells
    whether a job has the schedule that is known of it, if that is written otherwise.
    """
    before = all_jobs(connection)
    new = [job for job in schedules if job not in before]
    if new:
        # In one statement: there may be a thousand.
        made = [{"id": job, "schedule": schedules[job][0], "enabled": schedules[job][1]} for job in new]
        connection.execute(insert(jobs), [{**one, "enabled_at": now} for one in made])
    for job, (schedule, enabled) in schedules.items():
        known = before.get(job)
        if known is None:
            continue
        if (known.schedule, known.enabled) != (schedule, enabled):
            goes_on = (known.enabled or not enabled) and (known.schedule == schedule or is_same(job, known.schedule))
            since = known.enabled_at if goes_on else now
            changed = {"schedule": schedule, "enabled": enabled, "enabled_at": since}
            connection.execute(update(jobs).where(jobs.c.id == job).values(changed))
    gone = [job for job, known in before.items() if known.enabled and job not in schedules]
    for start in range(0, len(gone), TOGETHER):
        absent = jobs.c.id.in_(gone[start : start + TOGETHER])
        connection.execute(update(jobs).where(absent).values(enabled=False))
    return before


def enabled_by(connection: Connection, now: datetime, taken_back: Collection[str] = ()) -> None:
    """Set `enabled_at` to `now`, if it is ahead: the clock was set back.

    The same for each job whose slots were `taken_back`. All its slots up to now had their outcome, and none may be left
    on record to tell so.
    """
    connection.execute(update(jobs).where(jobs.c.enabled_at > now).values(enabled_at=now))
    if taken_back:
        connection.execute(update(jobs).where(jobs.c.id.in_(list(taken_back))).values(enabled_at=now))


def pause(connection: Connection, job: str, schedule: str, now: datetime, actor: str) -> bool:
    """Let no further slot of the job run, also after a restart. False if the job was paused already."""
    if connection.execute(select(jobs.c.id).where(jobs.c.id == job)).scalar() is None:
        # No daemon has had it yet: until one has, it owes nothing.
        connection.execute(insert(jobs).values(id=job, schedule=schedule, enabled=False, enabled_at=now))
    unpaused = (jobs.c.id == job) & jobs.c.paused_at.is_(None)
    return connection.execute(update(jobs).where(unpaused).values(paused_at=now, paused_by=actor)).rowcount == 1


def resume(connection: Connection, job: str) -> bool:
    """Let the job's slots run again. False if the job was not paused."""
    paused = (jobs.c.id == job) & jobs.c.paused_at.is_not(None)
    return connection.execute(update(jobs).where(paused).values(paused_at=None, paused_by=None)).rowcount == 1


def paused(connection: Connection) -> set[str]:
    """The jobs that somebody has paused."""
    return set(connection.execute(select(jobs.c.id).where(jobs.c.paused_at.is_not(None))).scalars())
