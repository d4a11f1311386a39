"""SQLite and forks: a process forks between its transactions on SQLite files, and not in the middle of them.

    thread 1    BEGIN IMMEDIATE ... COMMIT          BEGIN ...
    thread 2                 fork: waits    forks

SQLite keeps in memory which files its process has locked, and a forked child has a copy of that. If the file was locked
at the moment of the fork, the child takes it for locked for ever, by itself: no transaction of the child could begin.
Without a write-ahead log a reader locks the file too, and so does a connection that is just being opened.
So a fork waits a little, and what is about to begin waits for the fork. What takes longer holds up one fork, and no
further one.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import URL

from janitor.databases.places import family

LONGEST_SECONDS = 0.5
"""A fork waits no longer: it is made in the middle of a transaction rather than not at all."""


class Gate:
    """Who is inside a transaction, and who is forking; no thread waits for itself."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        """Nobody is inside."""
        self._longest_seconds = longest_seconds
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everybody: in a forked child the other threads are gone, and may have held the lock."""
        self._changed = threading.Condition()
        self._inside: dict[int, int] = {}
        self._long = set[int]()
        self._forking = 0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """During the block, let no other thread fork; a thread may be inside more than once."""
        me = threading.get_ident()
        with self._changed:
            if me not in self._inside:
                self._changed.wait_for(lambda: not self._forking, self._longest_seconds)
            self._inside[me] = self._inside.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                left = self._inside.pop(me, 1) - 1
                if left:
                    self._inside[me] = left
                else:
                    self._long.discard(me)
                self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait until no other thread is inside, or for so long; not again for those that took longer."""
        me = threading.get_ident()
        with self._changed:
            self._forking += 1
            self._changed.wait_for(lambda: self._inside.keys() - self._long <= {me}, self._longest_seconds)
            self._long |= self._inside.keys() - {me}

    def after_fork(self) -> None:
        """Let those in who wait."""
        with self._changed:
            self._forking -= 1
            self._changed.notify_all()


def undisturbed(url: URL) -> AbstractContextManager[None]:
    """A block in which no other thread of this process forks, if it is short and the database is a SQLite file."""
    return _gate.inside() if family(url) == "sqlite" else nullcontext()


_gate = Gate()
os.register_at_fork(before=_gate.before_fork, after_in_parent=_gate.after_fork, after_in_child=_gate.begin_anew)
