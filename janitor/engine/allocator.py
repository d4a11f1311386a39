"""The C library's memory: few arenas, so that what one thread frees serves the next thread.

glibc gives each new thread an arena of its own, up to eight for each processor. A run has a thread, and its arena keeps
what the run freed. So a daemon grew for hours, although nothing in it was lost. With few arenas, threads share.
Other C libraries have no such setting, and nothing happens there.
"""

import ctypes

ARENAS = 2
"""One arena for the clock, the web and what lives long, and another one if both ask at the same moment."""
_M_ARENA_MAX = -8
"""The number of this setting in glibc's `malloc.h`."""


def bound_arenas() -> bool:
    """Let this process have at most `ARENAS` arenas; return False if its C library has no such setting."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, ARENAS))
