"""What is kept of a job, whether the job is there or gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.operations import cursor
from janitor.state import cursors, job_records, memories, quarantine
from janitor.state.job_records import JobRecord


@dataclass(frozen=True)
class Kept:
    """A job by its id, and the names under which its task remembers things."""

    id: str
    names: Sequence[str]


@dataclass(frozen=True)
class Gone:
    """What a page tells of a job that is gone. `record` is None if no daemon that counts ever had it."""

    id: str
    record: JobRecord | None
    cursors: Sequence[str]
    dropped: int


def kept_of(connection: Connection, all_jobs: Mapping[str, Job], job_id: str) -> Kept | None:
    """A job that is there, or of which anything is kept; None if there is no such job."""
    job = all_jobs.get(job_id)
    if job is None and not job_records.is_on_record(connection, job_id):
        return None
    return Kept(job_id, memories.names_of(connection, job_id, () if job is None else job.memories))


def gone_job(connection: Connection, kept: Kept) -> Gone:
    """What is told of a job that is gone, but its history and its quarantine."""
    positions = {name: cursors.load(connection, name) for name in kept.names}
    return Gone(
        id=kept.id,
        record=job_records.all_jobs(connection).get(kept.id),
        cursors=[cursor.told(name, position) for name, position in positions.items() if position is not None],
        dropped=sum(quarantine.dropped_size(connection, name) for name in kept.names),
    )
