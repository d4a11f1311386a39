"""The write lock of a SQLite file: another process may keep the file to itself for long, as `VACUUM` does.

    a run writes, or its beginning or end is recorded    waits for its turn, ten minutes at most
    anything else                                        fails after ten seconds: it is tried again, or a person sees it

SQLite takes the lock at the beginning of a transaction. So nothing of a transaction has happened if it has to wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.errors import has_locked_file
from janitor.errors import Unavailable
from janitor.runs import current_run
from janitor.runs.forks import anew_in_children

log = logging.getLogger(__name__)

LOCK_SECONDS = 600.0
"""A run waits so long for another process that has the file to itself."""


class Turns:
    """The turns of this process's threads to write a file: whoever waits goes on as soon as the last one is done.

    SQLite lets a connection that waits sleep for up to a tenth of a second, and asks again then.
    """

    def __init__(self) -> None:
        """Nobody has a turn."""
        self._turn = threading.Lock()
        anew_in_children(self, Turns._begin_anew)

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """A block that is one thread's turn; after so many seconds it begins without, and SQLite says what is wrong."""
        turn = self._turn
        is_mine = turn.acquire(timeout=seconds)
        try:
            yield
        finally:
            if is_mine:
                turn.release()

    def _begin_anew(self) -> None:
        self._turn = threading.Lock()


class WriteLock:
    """Whether another process has the file to itself, as far as transactions of this process have found out."""

    def __init__(self, place: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody has it. `place` is the file as a person knows it."""
        self._place, self._clock = place, clock
        self._is_held = False

    def until(self, patient: bool) -> float:
        """Up to when a transaction that begins now may wait for its turn; `patient` is for what is part of no run."""
        return self._clock() + LOCK_SECONDS if patient or current_run().id else self._clock()

    def wait(self, error: Unavailable, until: float) -> None:
        """Return if the transaction that could not begin is to be tried again; a run that must end does not wait.

        Raises:
            Unavailable: the error itself: it is another one, or the time is over.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        # Whoever waits has a connection, and there are not many.
        is_locked = has_locked_file(error) or (self._is_held and isinstance(error.__cause__, PoolTimeout))
        if not is_locked or self._clock() >= until:
            raise error
        if not self._is_held:
            log.warning("another process has %s to itself: what is to be recorded waits for it", self._place)
            self._is_held = True
        current_run().check()

    def has_begun(self) -> None:
        """Note that a transaction has begun."""
        if self._is_held:
            self._is_held = False
            log.info("%s takes writes again", self._place)
