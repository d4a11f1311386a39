"""The channel of one run: what its line says, how far it is, and what it logs."""

from collections import deque
from typing import Any

from sqlalchemy import Connection, func, select

from janitor.state import recent
from janitor.state.tables import run_logs, runs
from janitor.web.live.channel import Channel
from janitor.web.queries import records
from janitor.web.queries.logs import log_of

KEPT_LINES = 1_000
"""How many log lines are kept for viewers. A stream that is further behind reads the database."""
MOST_LINES = 500
"""How many log lines are read, or sent, at once."""

Line = tuple[int, bytes]
"""A log line's id, and the line as JSON."""


class RunChannel(Channel):
    """One run, for all who watch it."""

    def __init__(self, run_id: int) -> None:
        """Lines that were logged before the first look are not kept: `lines_after` is the id before the first kept."""
        super().__init__()
        self.run_id = run_id
        self.run, self.progress = b"", b""
        self.has_ended = False
        self.lines: deque[Line] = deque()
        self.lines_after: int | None = None
        self._last = 0

    def read(self, connection: Connection) -> Any:
        """The run's line and progress, and the lines that it logged since the last look."""
        row = connection.execute(select(*recent.LINE, runs.c.progress).where(runs.c.id == self.run_id)).one_or_none()
        if self.lines_after is None:
            newest = select(func.max(run_logs.c.id)).where(run_logs.c.run_id == self.run_id)
            return row, connection.execute(newest).scalar() or 0, []
        return row, self._last, lines_after(connection, self.run_id, self._last)

    def take(self, found: Any) -> bool:
        """Keep what was read. For viewers, the run has ended once its last lines are here too."""
        row, last, lines = found
        first = self.lines_after is None
        if self.lines_after is None:
            self.lines_after = self._last = last
        if row is None:
            self.is_over = self.has_ended = True
            return True
        differs = self._take_run(row) or first or bool(lines)
        self._take_lines(lines)
        # A run's end is written together with its last lines, and the lines were read after its row.
        self.has_ended = row.outcome is not None and len(lines) < MOST_LINES
        self.is_over = self.has_ended
        return differs or self.has_ended

    def kept_after(self, position: int) -> list[Line] | None:
        """The kept lines after a position, as many as are sent at once; None if some of them are not kept."""
        if self.lines_after is None or position < self.lines_after:
            return None
        return [line for line in self.lines if line[0] > position][:MOST_LINES]

    def _take_run(self, row: Any) -> bool:
        told, before = records.progress(row.progress), (self.run, self.progress)
        self.run = records.run_line(row).model_dump_json().encode()
        self.progress = told.model_dump_json().encode() if told else b""
        return (self.run, self.progress) != before

    def _take_lines(self, lines: list[Line]) -> None:
        self.lines.extend(lines)
        self._last = lines[-1][0] if lines else self._last
        while len(self.lines) > KEPT_LINES:
            self.lines_after = self.lines.popleft()[0]


def lines_after(connection: Connection, run_id: int, position: int) -> list[Line]:
    """A run's log lines after a position, each as JSON, as many as are sent at once."""
    found = log_of(connection, run_id, position, MOST_LINES)
    return [(line.id, line.model_dump_json().encode()) for line in found.lines] if found else []
