"""Connections that are used again at once: whoever writes many small transactions opens none for each.

The pool asks a server whether a connection still lives, each time that it gives one, and clears it up each time that it
gets one back. So a connection that did well stays here for a second, and whoever comes next takes it as it is.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, Pool

from janitor.runs.forks import anew_in_children

YOUNG_SECONDS = 1.0
"""After so long without use the pool asks the server first."""
LONGEST_SECONDS = 60.0
"""After so long a connection goes back to the pool, which opens new ones now and then."""
MOST = 4


class _Kept(NamedTuple):
    """A connection, of which pool it is, when it came from there, and when it was used last."""

    connection: Connection
    pool: Pool
    opened_at: float
    used_at: float


_of_parent: list[deque[_Kept]] = []
"""In a forked child: what its parent has kept. Nothing may close it, or SQLite's files would suffer."""


class KeptConnections:
    """A few connections of one engine that are open and in no use."""

    def __init__(self) -> None:
        """None is kept yet."""
        self._kept: deque[_Kept] = deque()
        anew_in_children(self, KeptConnections._begin_anew)

    @contextmanager
    def taken(self, connect: Callable[[], Connection]) -> Iterator[Connection]:
        """One that is kept, or a new one; after the block it is kept if all went well, and else closed."""
        one = self._young() or _new(connect())
        connection, options, is_well = one.connection, one.connection.get_execution_options(), False
        try:
            yield connection
            is_well = not (connection.closed or connection.invalidated)
        finally:
            if is_well and connection.get_execution_options() == options and len(self._kept) < MOST:
                if connection.in_transaction():
                    connection.rollback()
                self._kept.append(one._replace(used_at=time.monotonic()))
            else:
                connection.close()

    def close(self) -> None:
        """Give all that are kept back to their pool."""
        while (one := self._last()) is not None:
            one.connection.close()

    def _young(self) -> _Kept | None:
        """The one that was used last, if it can be used as it is; older ones go back to the pool."""
        while (one := self._last()) is not None:
            now = time.monotonic()
            is_young = now - one.used_at < YOUNG_SECONDS and now - one.opened_at < LONGEST_SECONDS
            # A pool that was replaced has closed all its connections: its server is another one now.
            if is_young and one.connection.engine.pool is one.pool:
                return one
            one.connection.close()
        return None

    def _last(self) -> _Kept | None:
        """The one that was used last; it is kept no more."""
        try:
            return self._kept.pop()
        except IndexError:  # another thread may have taken the last
            return None

    def _begin_anew(self) -> None:
        _of_parent.append(self._kept)
        self._kept = deque()


def _new(connection: Connection) -> _Kept:
    now = time.monotonic()
    return _Kept(connection, connection.engine.pool, now, now)
