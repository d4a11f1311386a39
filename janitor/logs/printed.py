"""What tasks print: each line that a run prints is a line of its log.

    print("a", "b") in a task ──> Printed.write("a"), (" "), ("b"), ("\\n") ──> one log line "a b", logger `stdout`
    outside of runs           ──> the stream as it was

A daemon's stdout is its log, so it gets the log line. A run by hand shows on the terminal what the task prints, as it
is; its log line is kept with the run alone.
"""

import logging
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

from janitor.errors import JanitorError
from janitor.logs.outlet import has_room
from janitor.logs.stand_in import StandIn
from janitor.runs import bounds, current_run

LONGEST = bounds.LOG_LINE // 4
"""A line that is longer is told in pieces of so many characters, which a log line has room for."""

PIECE = 1_024
"""So many characters always find place in a pipe that has room."""
LOOK_SECONDS = 0.1
"""How soon a request to stop is noticed while waiting for the reader of a pipe."""

Key = tuple[int, int]


class Printed(StandIn):
    """Stands in for `sys.stdout` or `sys.stderr` of the daemon's process."""

    def __init__(
        self,
        stream: TextIO,
        name: str,
        handle: Callable[[logging.LogRecord], object],
        echo: Callable[[str], str] | None = None,
    ) -> None:
        """`handle` gets a record of each line that a run prints. With `echo` the stream gets what it makes of the text.

        `name` is that of the logger.
        """
        super().__init__(stream)
        self._name, self._handle, self._echo = name, handle, echo
        self._waits = _descriptor_that_waits(stream)
        self._begun: dict[Key, str] = {}
        self._inside = threading.local()

    def write(self, text: str) -> int:
        """Take what is printed."""
        run_id = current_run().id
        # A handler may print that it has failed.
        if not run_id or getattr(self._inside, "handling", False):
            return self._stream.write(text)
        if self._echo is not None:
            self._show(self._echo(text))
        key = run_id, threading.get_ident()
        *lines, rest = (self._begun.pop(key, "") + text).split("\n")
        *begun, rest = _pieces(rest)
        if rest:
            self._begun[key] = rest
        for piece in (*(piece for line in lines for piece in _pieces(line)), *begun):
            self._tell(piece, sys._getframe(1))
        return len(text)

    @property
    def stream(self) -> TextIO:
        """The stream itself."""
        return self._stream

    @contextmanager
    def shown_by(self, proxy: Callable[[TextIO], TextIO]) -> Iterator[None]:
        """Let a proxy for the stream show what is printed, during a block."""
        before, self._stream = self._stream, proxy(self._stream)
        try:
            yield
        finally:
            self._stream = before

    def end_of(self, run_id: int) -> None:
        """Tell the lines that a run has begun and not ended, as it ends; call it within the run."""
        for key in [key for key in list(self._begun) if key[0] == run_id]:
            if (rest := self._begun.pop(key, None)) is not None:
                self._tell(rest, None)
                if self._echo is not None:
                    with suppress(JanitorError):  # it is over already, since it was asked to stop
                        self._show("\n")

    def _show(self, text: str) -> None:
        """Show a text as it is; a reader who is slow or gone is no failure of the run, and waiting is a safe point."""
        run = current_run()
        with suppress(OSError, ValueError):
            if self._waits is None:
                self._stream.write(text)
                return
            for start in range(0, len(text), PIECE):
                while not has_room(self._waits, LOOK_SECONDS):
                    run.check()
                self._stream.write(text[start : start + PIECE])
                self._stream.flush()

    def _tell(self, line: str, frame: FrameType | None) -> None:
        # A progress bar writes over its own line again and again.
        line = line.rstrip("\r").rpartition("\r")[2]
        if not line.strip():
            return
        path, number = ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
        record = logging.LogRecord(self._name, logging.INFO, path, number, "%s", (line,), None)
        self._inside.handling = True
        try:
            self._handle(record)
        finally:
            self._inside.handling = False

    def flush(self) -> None:
        """Flush the stream; in a run this cannot fail, and a line that is only begun waits for its end."""
        if not current_run().id:
            self._stream.flush()


def _pieces(line: str) -> list[str]:
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)] or [""]


def _descriptor_that_waits(stream: TextIO) -> int | None:
    """The descriptor of a stream whose reader is another program; None for other streams."""
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return None
    return descriptor if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None
