"""Keeping each job's description once, with its runs."""

from sqlalchemy import Connection

from janitor.jobs.descriptions import described
from janitor.jobs.job import Job
from janitor.logs.mask import Mask
from janitor.state import description_records


class Descriptions:
    """Keeps the descriptions of the jobs that run here, each description once."""

    def __init__(self, mask: Mask) -> None:
        """`mask` takes secrets out of the descriptions."""
        self._mask = mask
        self._known: dict[str, tuple[Job, str, bytes]] = {}
        self._kept: set[bytes] = set()

    def keep(self, connection: Connection, job: Job) -> bytes:
        """Write a job's description, unless this process knows that it is on record; its digest."""
        known = self._known.get(job.id)
        if known is None or known[0] is not job:
            content = self._mask.json(described(job))
            known = self._known[job.id] = (job, content, description_records.digest(content))
        if known[2] not in self._kept:
            description_records.keep(connection, known[1])
        return known[2]

    def is_kept(self, job: Job) -> None:
        """A run of the job is on record, and with it the description: it need not be written again."""
        known = self._known.get(job.id)
        if known is not None and known[0] is job:
            self._kept.add(known[2])
