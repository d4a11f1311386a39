"""What a job could not deliver."""

from sqlalchemy import Connection

from janitor.state.quarantine import dropped_size, listing, size
from janitor.web.queries import models, records


def quarantine_list(
    connection: Connection, job_id: str, limit: int, offset: int = 0, *, dropped: bool = False
) -> models.QuarantineList:
    """A page of what cannot be delivered, or with `dropped` of what was given up; the oldest first."""
    rows = listing(connection, job_id, dropped=dropped, limit=limit + 1, offset=offset)
    keys = (dropped_size if dropped else size)(connection, job_id)
    lines = [records.quarantine_line(row) for row in rows[:limit]]
    return models.QuarantineList(keys=keys, rows=lines, next_offset=offset + limit if len(rows) > limit else None)
