"""Cleaning up items: before an old item of a pipeline with a `cleanup` is deleted, its steps' cleanups are called.

    a pass a day     the old items, the oldest first; each look goes on where the one before came to
    all succeed      the item is deleted, if it is still old: somebody may have asked for it again meanwhile
    one fails        the item stays, and tomorrow's pass tries again

A cleanup is anybody's, and may take its time: pruning calls this in a thread of its own.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from janitor.errors import JanitorError, Rejected, Unavailable
from janitor.items.cleaning import clean_up
from janitor.items.pipeline import Pipeline
from janitor.runs import Fence
from janitor.settings.settings import Settings
from janitor.state import State, item_old
from janitor.state.item_old import Place
from janitor.state.item_states import DONE, FAILED

TOGETHER = 200
"""So many old items are looked for at once."""
PASS_SECONDS = 24 * 3600.0
Bounds = tuple[datetime, datetime]
"""Before which moments items must have ended to be old: those that are done, and those that failed."""


@dataclass
class _Pass:
    """How far a pass has come, and when it began."""

    began: float = field(default_factory=time.monotonic)
    place: Place | None = None


class ItemCleaning:
    """Cleans up the old items of pipelines; it remembers how far it has come with each."""

    def __init__(self, state: State, settings: Settings) -> None:
        """Nothing is looked at yet."""
        self._state, self._settings = state, settings
        self._passes: dict[tuple[str, int], _Pass] = {}

    def look(self, pipelines: Iterable[Pipeline], now: datetime, fences: Sequence[Fence]) -> int:
        """Clean up and delete what is old at a moment and was not tried today; how many items went.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away.
        """
        gone = 0
        for pipeline in pipelines:
            bounds = kept_since(pipeline, now)
            for state, before in zip((DONE, FAILED), bounds, strict=True):
                gone += self._clean(pipeline, state, before, bounds, fences)
        return gone

    def _clean(self, pipeline: Pipeline, state: int, before: datetime, bounds: Bounds, fences: Sequence[Fence]) -> int:
        """Clean up what came to a state before a moment."""
        key, gone = (pipeline.name, state), 0
        own = self._passes.get(key)
        if own is None or time.monotonic() - own.began >= PASS_SECONDS:
            own = self._passes[key] = _Pass()
        while True:
            with self._state.read() as connection:
                found = item_old.of_state(connection, pipeline.name, state, before, TOGETHER, own.place)
            for place in found:
                gone += self._clean_one(pipeline, place[-1], bounds, fences)
                own.place = place
            if len(found) < TOGETHER:
                return gone

    def _clean_one(self, pipeline: Pipeline, item_id: int, bounds: Bounds, fences: Sequence[Fence]) -> bool:
        """Clean up an item, and delete it; whether it went."""
        with self._state.begin(*fences) as connection:
            if not item_old.still_old(connection, [item_id], *bounds):
                return False
        try:
            clean_up(self._state, pipeline, self._settings, item_id)
        except (Unavailable, Rejected):
            raise
        except JanitorError:
            return False  # clean_up has logged it
        with self._state.begin(*fences) as connection:
            return item_old.drop(connection, pipeline.plan, [item_id], *bounds) == 1


def kept_since(pipeline: Pipeline, now: datetime) -> Bounds:
    """Since when items of a pipeline must have ended to stay: those that are done, and those that failed."""
    return now - timedelta(days=pipeline.keep_days), now - timedelta(days=pipeline.keep_errors_days)
