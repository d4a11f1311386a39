"""What a run takes next: how many items, from which place on, and which of them alone.

Size       as many as are done in a quarter of a second: few if they are slow, hundreds if they are quick
Place      how far the lane was looked through; what lies before was taken, as far as this process knows
Suspects   an item whose process has died before is taken alone: the run holds nothing else, and no other run of
           this process holds a suspect. So if the process dies again, it is known of which suspect
"""

import math
import threading
import time
from datetime import datetime

from janitor.state.item_claims import Position

BATCH_SECONDS = 0.25
MOST_TOGETHER = 500
"""So many are taken, and so many are recorded, in one transaction at most."""
MOST_HELD = 3 * MOST_TOGETHER
"""So many wait for workers at most: they have enough to do while 500 are recorded, and 500 more are taken."""
WHOLE_LOOK_SECONDS = 0.65
WHOLE_LOOK_SHARE = 20
"""A whole look is done again after so many times as long as it took, and after `WHOLE_LOOK_SECONDS` at least."""
LOOK_SECONDS = 0.7
"""A lane that a look came to the end of is looked at again after so long, or once something is told."""
SHORTEST_SECONDS = 0.01
"""Whoever waits sleeps for so long at least."""
_one_suspect = threading.Lock()


class Size:
    """How many items to hold: as many as are done in a quarter of a second, and one for each worker."""

    def __init__(self, workers: int) -> None:
        """One for each worker, at first."""
        self._workers, self._since, self._done = workers, time.monotonic(), 0
        self._size = workers

    def wanted(self, waiting: int) -> int:
        """How many more to take; none while more than `enough` wait."""
        return min(MOST_TOGETHER, self._size - waiting) if waiting <= self.enough else 0

    @property
    def enough(self) -> int:
        """While more than so many wait, none are taken."""
        return max(self._size // 2, self._size - MOST_TOGETHER)

    def done(self, count: int) -> None:
        """Note that so many were recorded."""
        self._done += count
        seconds = time.monotonic() - self._since
        if seconds >= BATCH_SECONDS or self._done >= self._size:
            quick = self._done / max(seconds, 0.001) * BATCH_SECONDS
            self._size = max(self._workers, min(MOST_HELD, 2 * self._size, int(quick)))
            self._since, self._done = time.monotonic(), 0


class Place:
    """How far a lane was looked through: what lies before was taken, as far as this process knows."""

    def __init__(self) -> None:
        """Nothing is looked through yet."""
        self._after: Position | None = None
        self._told = self._told_before = 0
        self._whole_at, self._whole_seconds, self._empty_at = -math.inf, 0.0, -math.inf

    def of_look(self, now: float) -> Position | None:
        """From where to look; None for a whole look."""
        self._told_before = self._told
        pause = max(WHOLE_LOOK_SECONDS, WHOLE_LOOK_SHARE * self._whole_seconds)
        return None if now - self._whole_at >= pause else self._after

    def looked(self, last: Position | None, is_whole: bool, seconds: float, is_all: bool) -> None:
        """Note how far a look has come, None if it found nothing; `is_all` says that nothing else is due."""
        self._after = last or self._after
        # What was told while the look went on may not have been there for it.
        self._empty_at = time.monotonic() if is_all and self._told == self._told_before else -math.inf
        if is_whole:
            self._whole_at, self._whole_seconds = time.monotonic(), seconds

    def was_empty(self, now: float) -> bool:
        """Whether a look came to the end of what is due a moment ago, and nothing was told since."""
        return now - self._empty_at < LOOK_SECONDS

    def seconds_to_look(self, now: float) -> float:
        """After how long the lane is to be looked at, if nothing is told."""
        return max(SHORTEST_SECONDS, LOOK_SECONDS - (now - self._empty_at)) if self.is_empty else LOOK_SECONDS

    @property
    def is_empty(self) -> bool:
        """Whether the newest look came to the end of what is due, and nothing was told since."""
        return self._empty_at > -math.inf

    def step_back(self, first: tuple[int, datetime]) -> None:
        """Look again from a place on, if it lies before; any thread may say so."""
        self._told += 1
        self._empty_at = -math.inf
        if self._after is not None and first < self._after[:2]:
            self._after = (*first, 0)

    def forget(self) -> None:
        """Look from the beginning next."""
        self._after, self._empty_at = None, -math.inf


class Suspects:
    """Whether a run may take an item whose process has died before; only the run's thread asks."""

    def __init__(self) -> None:
        """The run has none."""
        self._has_one = False
        self.waits = False
        """Whether a suspect waits until the run holds nothing else: then nothing is taken before it."""

    @property
    def has_one(self) -> bool:
        """Whether the run has a suspect: then it takes nothing else."""
        return self._has_one

    @property
    def are_about(self) -> bool:
        """Whether the run has a suspect, or one waits."""
        return self._has_one or self.waits

    def may_take(self, holds_others: bool) -> bool:
        """Whether the run may take a suspect now, and nothing else; then it has one until `done`."""
        self.waits = holds_others
        self._has_one = not holds_others and _one_suspect.acquire(blocking=False)
        return self._has_one

    def done(self) -> None:
        """The run holds nothing any more."""
        self.waits = False
        if self._has_one:
            self._has_one = False
            _one_suspect.release()
