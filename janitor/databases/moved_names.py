"""Names that lead to another server now: the old server may go on answering, and what it says is old.

    a new connection finds the server that the name led to last    nothing
    it finds a server that was not seen there lately               the name has moved: all older connections go
    it finds by turns servers that were seen there lately          a balancer shares connections out: they stay

A write to the old server is mostly refused, and is noticed by that. A read is not. Without this the connections of one
pool could lead to both servers, and rows of today would be mixed with rows of yesterday.
"""

import time
from collections.abc import Callable

LATELY_SECONDS = 900.0
"""A balancer's servers come again within this time, as pooled connections are replaced more often."""

Name = tuple[str | None, int]
Server = tuple[object, ...]


class MovedNames:
    """Which servers were found behind each name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is found yet."""
        self._clock = clock
        self._seen: dict[Name, dict[Server, float]] = {}

    def has_moved(self, name: Name, server: Server) -> bool:
        """Note that a new connection found a server behind a name; whether the name led elsewhere before."""
        now, seen = self._clock(), self._seen.setdefault(name, {})
        is_first, last = not seen, seen.get(server)
        is_latest = last is not None and last == max(list(seen.values()))
        seen[server] = now
        return not (is_first or is_latest or (last is not None and now - last < LATELY_SECONDS))
