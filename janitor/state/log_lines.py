"""The log lines of runs."""

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
    """One record that was logged during a run."""

    run_id: int
    at: datetime
    level: str
    logger: str
    message: str
    file: str | None = None
    line: int | None = None


def add(connection: Connection, lines: Sequence[LogLine]) -> None:
    """Append log lines, in order."""
    if lines:
        connection.execute(_ADDITION, [vars(line) for line in lines])


def of_run(
    connection: Connection, run_id: int, after: int = 0, limit: int = 100_000, *, tail: bool = False, least: str = ""
) -> Sequence[Row[Any]]:
    """A run's lines in order, those with an id above `after`: the first of them, or with `tail` the last.

    `least`, one of LEVELS, leaves out lines of the levels before it.
    """
    query = select(run_logs).where(run_logs.c.run_id == run_id, run_logs.c.id > after).limit(limit)
    if least:
        # A level that a library made up counts for more than any that is known.
        query = query.where(run_logs.c.level.not_in(LEVELS[: LEVELS.index(least)]))
    rows = connection.execute(query.order_by(run_logs.c.id.desc() if tail else run_logs.c.id)).all()
    return rows[::-1] if tail else rows
