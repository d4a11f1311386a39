"""Log lines of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from janitor.state.tables import run_logs

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_ADDITION = insert(run_logs)


@dataclass(frozen=True)
class LogLine:
    """One line that was logged during a run."""

    run_id: int
    at: datetime
    level: str
    logger: str
    message: str
    file: str | None = None
    line: int | None = None


def add(connection: Connection, lines: Sequence[LogLine]) -> None:
    """Append lines, in this order."""
    if lines:
        connection.execute(_ADDITION, [vars(line) for line in lines])


def of_run(
    connection: Connection, run_id: int, after: int = 0, limit: int = 100_000, *, tail: bool = False, least: str = ""
) -> Sequence[Row[Any]]:
    """Up to `limit` lines of a run, in order: the first lines with an id above `after`, or with `tail` the last.

    `least` is one of LEVELS: lines of lower levels are left out.
    """
    query = select(run_logs).where(run_logs.c.run_id == run_id, run_logs.c.id > after).limit(limit)
    if least:
        # A level that a library made up counts as higher than every known level.
        query = query.where(run_logs.c.level.not_in(LEVELS[: LEVELS.index(least)]))
    rows = connection.execute(query.order_by(run_logs.c.id.desc() if tail else run_logs.c.id)).all()
    return rows[::-1] if tail else rows
