"""What is remembered of jobs between starts: since when each is enabled, and which are paused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from janitor.state.tables import jobs


@dataclass(frozen=True)
class JobRecord:
    """A job as the state database knows it; `enabled_at` is when it was last switched on."""

    id: str
    schedule: str
    enabled: bool
    enabled_at: datetime
    paused_at: datetime | None
    paused_by: str | None


def all_jobs(connection: Connection) -> dict[str, JobRecord]:
    """Every job that was ever started here, by id."""
    return {row.id: JobRecord(**row._mapping) for row in connection.execute(select(jobs))}


def remember(connection: Connection, schedules: Mapping[str, tuple[str, bool]], now: datetime) -> dict[str, JobRecord]:
    """Bring the records up to the jobs of this start, id -> (schedule, enabled); the records as they were before."""
    before = all_jobs(connection)
    for job, (schedule, enabled) in schedules.items():
        known = before.get(job)
        if known is None:
            connection.execute(insert(jobs).values(id=job, schedule=schedule, enabled=enabled, enabled_at=now))
        elif (known.schedule, known.enabled) != (schedule, enabled):
            since = now if enabled and not known.enabled else known.enabled_at
            changed = {"schedule": schedule, "enabled": enabled, "enabled_at": since}
            connection.execute(update(jobs).where(jobs.c.id == job).values(changed))
    return before


def enabled_by(connection: Connection, moment: datetime, now: datetime) -> None:
    """Say of jobs that are on record as enabled after a moment that they are so since `now`."""
    connection.execute(update(jobs).where(jobs.c.enabled_at > moment).values(enabled_at=now))


def pause(connection: Connection, job: str, schedule: str, now: datetime, actor: str) -> bool:
    """Let no further slot of the job run; False where it was paused already. It lasts over restarts."""
    remember_one = connection.execute(select(jobs.c.id).where(jobs.c.id == job)).scalar() is None
    if remember_one:
        connection.execute(insert(jobs).values(id=job, schedule=schedule, enabled=True, enabled_at=now))
    unpaused = (jobs.c.id == job) & jobs.c.paused_at.is_(None)
    return connection.execute(update(jobs).where(unpaused).values(paused_at=now, paused_by=actor)).rowcount == 1


def resume(connection: Connection, job: str) -> bool:
    """Let the job's slots run again; False where it was not paused."""
    paused = (jobs.c.id == job) & jobs.c.paused_at.is_not(None)
    return connection.execute(update(jobs).where(paused).values(paused_at=None, paused_by=None)).rowcount == 1
