"""Since when items wait that a run could have taken: as far as the schedules of their steps let them be taken.

with work       since the item is ready
at moments      since the first such moment after that
by hand         never: it waits for a person
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot_if_told
from janitor.jobs.with_work import Paced
from janitor.state import item_waits


def of_steps(
    connection: Connection, jobs: Iterable[Job], now: datetime, after: Mapping[str, datetime] | None = None
) -> dict[str, datetime]:
    """Since when items wait at steps, by job; jobs for which nothing waits are left out, and so is what is no step.

    `after` has, for some jobs, a moment before which nothing could be taken: the job was paused until then, say.
    """
    steps = {job.id: job for job in jobs if job.work is not None and job.work.kind == "step"}
    found: dict[str, datetime] = {}
    for lane, at in item_waits.longest(connection, list(steps), now).items():
        moment = taken_from(steps[lane], max(at, (after or {}).get(lane, at)))
        if moment is not None and moment <= now:
            found[lane] = moment
    return found


def taken_from(job: Job, ready_at: datetime) -> datetime | None:
    """When a run could first take what is ready since a moment; None if only a person begins such a run."""
    if not isinstance(job.trigger, Paced):
        return None
    return ready_at if job.trigger.pace is None else next_slot_if_told(job.trigger.pace, ready_at)
