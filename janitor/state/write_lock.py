"""The write lock of a SQLite file: another process may keep the file to itself for long, as `VACUUM` does.

    a run writes, or its beginning or end is recorded    waits for its turn, ten minutes at most
    anything else                                        fails after ten seconds: it is tried again, or a person sees it

SQLite takes the lock at the beginning of a transaction. So nothing of a transaction has happened if it has to wait.
"""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.errors import has_locked_file
from janitor.errors import Unavailable
from janitor.runs import current_run

log = logging.getLogger(__name__)

LOCK_SECONDS = 600.0
"""A run waits so long for another process that has the file to itself."""


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
