"""Outlet: where log lines leave the process; it never fails, and never waits for long.

a pipe whose reader is gone, a full disk    the line is lost; it is counted
a pipe that is full, a terminal on hold     after a second the line is lost; so are all others until there is room
the first line that is lost                 stderr is told so, once
there is room again                         how many lines were lost is told, and the next lines follow
`sys.stdout` is closed or replaced, or      nothing: it writes to a descriptor of its own
somebody closes file descriptor 1
"""

import fcntl
import io
import os
import select
import stat
import sys
import weakref
from contextlib import suppress
from typing import TextIO

PATIENCE_SECONDS = 1.0
"""How long a line may wait for room, if the line before it found room."""
PIECE_BYTES = 4096
"""So much a pipe takes in one piece, or it has no room."""
FIRST_OWN = 10
"""Descriptors of our own have at least this number: a task that closes all below 10 does not mean ours."""


LOST = "janitor: log lines are lost here: {}; this is said once, and the verb `show` has the lines of each run\n"


def double(number: int) -> int:
    """A descriptor of our own for what a descriptor leads to."""
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN)


class Outlet(io.TextIOBase):
    """A text stream on a descriptor of its own, which is a double of another stream's."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is written yet.

        Raises:
            OSError, ValueError: the stream has no file descriptor.
        """
        with suppress(OSError):  # its reader is gone, or there is no room: that is told with the first line
            stream.flush()
        self._descriptor = double(stream.fileno())
        self._encoding = stream.encoding
        self._waits = not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._lost, self._stalled, self._said = 0, False, False
        weakref.finalize(self, os.close, self._descriptor)

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Write a whole line, or lose it."""
        if self._lost and self._put(f"{self._lost} lines were lost here: nobody took them\n"):
            self._lost = 0
        if not self._put(text):
            self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Stay open: whoever calls this means another stream."""

    def _put(self, text: str) -> bool:
        left = memoryview(text.encode(self._encoding, "backslashreplace"))
        try:
            while left:
                if not self._has_room():
                    self._say("nobody reads them")
                    return False
                left = left[os.write(self._descriptor, left[:PIECE_BYTES] if self._waits else left) :]
        except OSError as exc:
            self._say(exc.strerror or str(exc))
            return False
        return True

    def _say(self, why: str) -> None:
        if not self._said:
            self._said = True
            say_that_lines_are_lost(why)

    def _has_room(self) -> bool:
        self._stalled = self._waits and not has_room(self._descriptor, 0 if self._stalled else PATIENCE_SECONDS)
        return not self._stalled


def has_room(descriptor: int, seconds: float) -> bool:
    """Wait until a descriptor takes a piece without waiting; False if that takes longer. A file always does."""
    asked = select.poll()
    asked.register(descriptor, select.POLLOUT)
    return bool(asked.poll(seconds * 1000))


def say_that_lines_are_lost(why: str) -> None:
    """Tell stderr that log lines are lost; nothing happens if stderr takes nothing either."""
    with suppress(OSError, ValueError, AttributeError):  # stderr may be None, or anything that a task has put there
        descriptor = sys.stderr.fileno()
        if has_room(descriptor, 0):
            os.write(descriptor, LOST.format(why).encode())


def outlet_of(stream: TextIO) -> TextIO:
    """The outlet for a stream; the stream itself if it has no file descriptor."""
    try:
        return Outlet(stream)  # type: ignore[return-value]  # what a handler needs of a stream, it has
    except (OSError, ValueError):
        return stream
