"""The run log: keeps what is logged during each run until it is saved with the run."""

import collections
import functools
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import replace

from janitor.guard import foreign_code
from janitor.logs import tracebacks
from janitor.logs.formats import instant
from janitor.logs.mask import Mask
from janitor.runs import bounds, current_run
from janitor.runs.bounds import shortened
from janitor.state.log_lines import LogLine

MAX_LINES_A_RUN = 10_000
MAX_TEXT_A_RUN = 10_000_000
"""So many characters of a run are kept in all."""
MOST_LINES_A_FILE = 2**31
"""A line's number is smaller: other numbers are none."""
_FOLDERS = sorted((f"{folder.rstrip('/')}/" for folder in {os.getcwd(), *sys.path} if folder), key=len, reverse=True)


class RunLog(logging.Handler):
    """Keeps the lines of each open run, from every library, until somebody takes them."""

    def __init__(self, mask: Mask, variables: bool = False) -> None:
        """No run is open at first. `variables` adds local variables to tracebacks."""
        super().__init__()
        self._mask, self._variables = mask, variables
        self._lines: dict[int, collections.deque[LogLine]] = {}
        self._room: dict[int, tuple[int, int]] = {}

    def open(self, run_id: int) -> None:
        """Begin to keep the lines of a run."""
        self._lines[run_id], self._room[run_id] = collections.deque(), (MAX_LINES_A_RUN, MAX_TEXT_A_RUN)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, masked, if it belongs to an open run."""
        run_id = current_run().id
        lines, room = self._lines.get(run_id), self._room.get(run_id, (0, 0))
        if lines is None or room[0] <= 0:
            return
        # All of a record is foreign: its values, and also its time, its level and its place.
        with foreign_code(_leave_out):
            line = self._line(run_id, record)
            room = (room[0] - 1, room[1] - len(line.message))
            if min(room) <= 0:
                said = (
                    f"the log is cut here: a run keeps {MAX_LINES_A_RUN} lines of {MAX_TEXT_A_RUN:,} characters in all"
                )
                line, room = replace(line, message=said), (0, 0)
            self._room[run_id] = room
            lines.append(line)

    def _line(self, run_id: int, record: logging.LogRecord) -> LogLine:
        text = shortened(self._mask(record.getMessage() + self._trace(record)), bounds.LOG_LINE)
        line = record.lineno if type(record.lineno) is int and 0 < record.lineno < MOST_LINES_A_FILE else None
        return LogLine(run_id, instant(record), record.levelname, record.name, text, place(record.pathname), line)

    def _trace(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return "" if error is None else "\n" + tracebacks.render(error, self._mask, self._variables).rstrip()

    def take(self, run_id: int) -> list[LogLine]:
        """Take away the lines that were kept since the last call."""
        lines = self._lines.get(run_id, collections.deque())
        return [lines.popleft() for _ in range(len(lines))]

    def give_back(self, lines: Iterable[LogLine]) -> None:
        """Put lines that could not be saved back to the front; those of a closed run are dropped."""
        for line in reversed(list(lines)):
            if line.run_id in self._lines:
                self._lines[line.run_id].appendleft(line)

    def close_run(self, run_id: int) -> list[LogLine]:
        """Stop keeping a run's lines, and take away the lines that are left."""
        lines = self.take(run_id)
        self._lines.pop(run_id, None)
        self._room.pop(run_id, None)
        return lines


def _leave_out(error: BaseException) -> None:
    """The call that logs is wrong: the handler for the output tells of it."""


@functools.lru_cache(maxsize=1024)
def place(path: str) -> str:
    """A source file's path without the working folder, or without the folder that its package was imported from."""
    for folder in _FOLDERS:
        if path.startswith(folder):
            path = path[len(folder) :]
            break
    return path[-255:]
