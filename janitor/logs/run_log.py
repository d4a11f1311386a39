"""The run log: keeps what is logged during each run until it is saved with the run."""

import collections
import functools
import logging
import os
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from janitor.guard import foreign_code
from janitor.logs import tracebacks
from janitor.logs.formats import instant
from janitor.logs.mask import Mask
from janitor.runs import bounds, current_run
from janitor.runs.bounds import shortened
from janitor.state.log_lines import LogLine

FIRST_LINES, FIRST_TEXT = 9_000, 9_000_000
"""So many lines and characters of a run are kept as they come."""
LAST_LINES, LAST_TEXT = 1_000, 1_000_000
"""Of what comes after them, so many of the newest are kept until the run ends."""
CUT = f"the log is cut here: of further lines, the last {LAST_LINES:,} follow when the run has ended"
MOST_LINES_A_FILE = 2**31
"""A line's number is smaller: other numbers are none."""
_FOLDERS = sorted((f"{folder.rstrip('/')}/" for folder in {os.getcwd(), *sys.path} if folder), key=len, reverse=True)


MOST_BESIDE = 32_768
"""So many characters of lines are kept beside, of one piece of a run's work."""


@dataclass
class Beside:
    """The lines of one piece of a run's work, kept beside those of the whole run."""

    lines: list[str] = field(default_factory=list)
    left: int = MOST_BESIDE

    def add(self, line: LogLine) -> None:
        """Keep a line, as long as there is room."""
        if self.left > 0:
            text = f"{line.at:%H:%M:%S} {line.level} {line.message}"
            self.lines.append(text[: self.left])
            self.left -= len(text) + 1

    def text(self) -> str | None:
        """All lines; None if there is none."""
        if not self.lines:
            return None
        return "\n".join([*self.lines, *(["(the log is cut here)"] if self.left <= 0 else [])])


keeps_beside: ContextVar[Beside | None] = ContextVar("janitor_lines_beside", default=None)
"""Where the lines of the piece of work that goes on are kept too."""


class RunLog(logging.Handler):
    """Keeps the lines of each open run, from every library, until somebody takes them."""

    def __init__(self, mask: Mask, variables: bool = False) -> None:
        """No run is open at first. `variables` adds local variables to tracebacks."""
        super().__init__()
        self._mask, self._variables = mask, variables
        self._lines: dict[int, _Lines] = {}

    def open(self, run_id: int) -> None:
        """Begin to keep the lines of a run."""
        self._lines[run_id] = _Lines()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, masked, if it belongs to an open run."""
        run_id = current_run().id
        lines = self._lines.get(run_id)
        if lines is None:
            return
        # All of a record is foreign: its values, and also its time, its level and its place.
        with foreign_code(_leave_out):
            line = self._line(run_id, record)
            lines.add(line)
            if (beside := keeps_beside.get()) is not None:
                beside.add(line)

    def _line(self, run_id: int, record: logging.LogRecord) -> LogLine:
        text = shortened(self._mask(record.getMessage() + self._trace(record)), bounds.LOG_LINE)
        line = record.lineno if type(record.lineno) is int and 0 < record.lineno < MOST_LINES_A_FILE else None
        return LogLine(run_id, instant(record), record.levelname, record.name, text, place(record.pathname), line)

    def _trace(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return "" if error is None else "\n" + tracebacks.render(error, self._mask, self._variables).rstrip()

    def take(self, run_id: int) -> list[LogLine]:
        """Take away the lines that were kept since the last call; the last lines of a long log come as it is closed."""
        return self._lines[run_id].take() if run_id in self._lines else []

    def give_back(self, lines: Iterable[LogLine]) -> None:
        """Put lines that could not be saved back to the front; those of a closed run are dropped."""
        for line in reversed(list(lines)):
            if line.run_id in self._lines:
                self._lines[line.run_id].first.appendleft(line)

    def close_run(self, run_id: int) -> list[LogLine]:
        """Stop keeping a run's lines, and take away the lines that are left."""
        lines = self._lines.pop(run_id, None)
        return [*lines.take(), *lines.last] if lines else []


class _Lines:
    """The lines of an open run: its first, and the newest of those after them."""

    def __init__(self) -> None:
        self.first: collections.deque[LogLine] = collections.deque()
        self.last: collections.deque[LogLine] = collections.deque()
        self._lines_left, self._text_left, self._text_of_last = FIRST_LINES, FIRST_TEXT, 0

    def add(self, line: LogLine) -> None:
        if self._lines_left > 0 and self._text_left > 0:
            self._lines_left, self._text_left = self._lines_left - 1, self._text_left - len(line.message)
            self.first.append(line)
            return
        if not self.last:
            self.first.append(replace(line, message=CUT))
        self.last.append(line)
        self._text_of_last += len(line.message)
        while len(self.last) > LAST_LINES or self._text_of_last > LAST_TEXT:
            self._text_of_last -= len(self.last.popleft().message)

    def take(self) -> list[LogLine]:
        return [self.first.popleft() for _ in range(len(self.first))]


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
