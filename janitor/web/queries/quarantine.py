"""What a job could not deliver."""

from collections.abc import Sequence

from sqlalchemy import Connection

from janitor.state.quarantine import dropped_size, listing, size
from janitor.web.queries import models, records


def quarantine_list(
    connection: Connection, names: Sequence[str], limit: int, offset: int = 0, *, dropped: bool = False
) -> models.QuarantineList:
    """A page of what waits in some quarantines, or with `dropped` of what was given up there; the oldest first."""
    rows = listing(connection, *names, dropped=dropped, limit=limit + 1, offset=offset)
    keys = sum((dropped_size if dropped else size)(connection, name) for name in names)
    lines = [records.quarantine_line(row) for row in rows[:limit]]
    return models.QuarantineList(keys=keys, rows=lines, next_offset=offset + limit if len(rows) > limit else None)
