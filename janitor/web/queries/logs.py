"""What a run logged."""

from sqlalchemy import Connection, select

from janitor.state import log_lines
from janitor.state.tables import runs
from janitor.web.queries import models, records


def log_of(
    connection: Connection, run_id: int, after: int = 0, limit: int = 1_000, *, tail: bool = False, least: str = ""
) -> models.LogLines | None:
    """A stretch of a run's log: the first lines with an id above `after`, or with `tail` the last of these.

    `least` leaves out lines of lesser levels. None if there is no such run.
    """
    outcome = connection.execute(select(runs.c.outcome).where(runs.c.id == run_id)).one_or_none()
    if outcome is None:
        return None
    rows = log_lines.of_run(connection, run_id, after, limit + 1, tail=tail, least=least)
    more = len(rows) > limit
    kept = rows[-limit:] if tail else rows[:limit]
    lines = [models.LogLine(**records.fields_of(row, models.LogLine)) for row in kept]
    ended = outcome[0] is not None and (tail or not more)
    last = lines[-1].id if lines else after
    return models.LogLines(lines=lines, next_after=last, more=more and not tail, ended=ended)
