"""Memory: few arenas, what they have no use for goes back to the system, and what lives long is not looked through.

glibc gives each new thread an arena of its own, up to eight for each processor. A run has a thread, and its arena keeps
what the run freed. So a daemon grew for hours, although nothing in it was lost. With few arenas, threads share.
glibc also puts larger and larger pieces into an arena, and small pieces between them hold it. With a fixed limit, each
large piece is the system's and goes back at once. What is free in an arena is given back once a minute, which takes
some milliseconds. Other C libraries have no such calls, and nothing happens there.

Python's collector of cycles stops all threads while it looks through what has lived for a while: a tenth of a second in
a daemon with a dashboard, every few dozen pages. So what lives then is set aside, until as much has come again; in a
daemon's first minute, while it loads, each second. It also looked through what is new after each 700 objects, which is
what a few dozen items are: a tenth of the time that items took.
"""

import ctypes
import gc
from collections.abc import Callable

from janitor.state.clocks import boot_clock

ARENAS = 2
"""One arena for the clock, the web and what lives long, and another one if both ask at the same moment."""
EVERY_SECONDS = 60.0
"""How often free memory is given back."""
LARGE = 64 * 1024
"""So many bytes or more are a large piece, which is in no arena."""
MANY = 20_000
"""So many objects that the collector looks through are worth being set aside."""
NEW = 10_000
"""So many new objects are looked through together."""
_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
"""The numbers of these settings in glibc's `malloc.h`."""


def bound_arenas() -> bool:
    """Let this process have few arenas, without large pieces; return False if its C library has no such settings."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    settings = {_M_ARENA_MAX: ARENAS, _M_MMAP_THRESHOLD: LARGE, _M_TRIM_THRESHOLD: 2 * LARGE}
    return mallopt is not None and all(bool(mallopt(name, value)) for name, value in settings.items())


def collect_seldom() -> None:
    """Let Python's collector look through more new objects at once."""
    gc.set_threshold(NEW, 20, 20)


def give_back() -> None:
    """Give the system back what memory of the C library is free, also in the middle of an arena."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def set_aside() -> None:
    """Take what lives now for what lives long, if it is much: the collector looks through what comes later alone.

    What was set aside before, and lives no more, is freed.
    """
    if len(gc.get_objects(generation=2)) > MANY:
        gc.unfreeze()
        gc.collect()
        gc.freeze()


class GivingBack:
    """A duty of the daemon, done each second: memory is given back once a minute, and what lives long is set aside."""

    def __init__(self, clock: Callable[[], float] = boot_clock) -> None:
        """Memory is given back a minute from now for the first time."""
        self._clock, self._at, self._is_first = clock, clock() + EVERY_SECONDS, True

    def step(self) -> None:
        """Give memory back, if it is time to."""
        if self._clock() < self._at:
            if self._is_first:
                gc.freeze()  # it takes no time, and frees nothing
            return
        if self._is_first:
            gc.unfreeze()
            self._is_first = False
        set_aside()
        give_back()
        self._at = self._clock() + EVERY_SECONDS
