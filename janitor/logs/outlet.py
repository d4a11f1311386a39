"""Outlet: where log lines leave the process; it never fails, and never waits for long.

a pipe whose reader is gone, a full disk    the line is lost; it is counted
a pipe that is full, a terminal on hold     after a second the line is lost; so are all others until there is room
a reader who is slow all the time           of the time a tenth is waited for it; what has no room then is lost
the first line that is lost                 stderr is told so, once
a reader who is gone for good               what a task's programs print is lost too, and kills none of them
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
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

PATIENCE_SECONDS = 1.0
"""How long a line may wait for room, if the line before it found room."""
MOST_PATIENCE_SECONDS, PATIENCE_SHARE = 2.0, 0.1
"""How long lines may wait in all, if none has waited for long, and how fast that comes back: so a burst finds room."""
PIECE_BYTES = 4096
"""So much a pipe takes in one piece, or it has no room."""
STANDARD = (1, 2)
"""The descriptors of stdout and stderr, which each program inherits."""
FIRST_OWN = 10
"""Descriptors of our own have at least this number: a task that closes all below 10 does not mean ours."""


LOST = "janitor: log lines are lost here: {}; this is said once, and the verb `show` has the lines of each run\n"


def double(number: int) -> int:
    """A descriptor of our own for what a descriptor leads to."""
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN)


class Outlet(io.TextIOBase):
    """A text stream on a descriptor of its own, which is a double of another stream's."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        room: Callable[[int, float], bool] | None = None,
    ) -> None:
        """Nothing is written yet; `clock` tells how long lines wait, `room` waits until a descriptor has room.

        Raises:
            OSError, ValueError: the stream has no file descriptor.
        """
        with suppress(OSError):  # its reader is gone, or there is no room: that is told with the first line
            stream.flush()
        self._descriptor = double(stream.fileno())
        self._encoding = stream.encoding
        self._waits = not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._lost, self._stalled, self._said, self._torn = 0, False, False, False
        self._clock, self._room = clock, room or has_room
        self._patience, self._asked_at = MOST_PATIENCE_SECONDS, clock()
        weakref.finalize(self, os.close, self._descriptor)

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Write a whole line, or lose it."""
        # A line that was begun had its end lost.
        end = "\n" if self._torn else ""
        if self._lost and self._put(f"{end}{self._lost} lines were lost here: there was no room for them\n"):
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
                    self._say("nobody reads them, or not fast enough")
                    return False
                left = left[os.write(self._descriptor, left[:PIECE_BYTES] if self._waits else left) :]
                self._torn = bool(left)
        except OSError as exc:
            self._say(exc.strerror or str(exc))
            if isinstance(exc, BrokenPipeError):
                self._spare_programs()
            return False
        return True

    def _spare_programs(self) -> None:
        """Let stdout and stderr lead nowhere if they lead to the same reader, who is gone.

        A program that a task starts has them too, and would be ended by SIGPIPE at its first line.
        """
        mine = os.fstat(self._descriptor)
        for number in STANDARD:
            with suppress(OSError):
                if os.path.samestat(os.fstat(number), mine):
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, number)
                    os.close(nowhere)

    def _say(self, why: str) -> None:
        if not self._said:
            self._said = True
            say_that_lines_are_lost(why)

    def _has_room(self) -> bool:
        if self._waits:
            before = self._clock()
            patience = min(MOST_PATIENCE_SECONDS, self._patience + (before - self._asked_at) * PATIENCE_SHARE)
            seconds = 0 if self._stalled else min(PATIENCE_SECONDS, patience)
            self._stalled = not self._room(self._descriptor, seconds)
            self._asked_at = self._clock()
            self._patience = max(0.0, patience - (self._asked_at - before))
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
