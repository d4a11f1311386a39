"""Pruning: old runs, log lines and actions are deleted, a little at a time, so that nobody waits long.

    round    a step of 0.1 s | pause | a step of 0.1 s | pause | ...  until nothing is old
    next round               ten minutes later

A step is one transaction. It takes as many rows as a tenth of a second lets it: others that write wait no longer. Then
it is their turn for as long. Every step of a round is under the lease of the round's beginning: who has lost the lead
takes no further step, even if it leads again.

A clock that is set years ahead makes all that is kept old. So the time before counts for a day: a person may notice.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from janitor.engine import cleanup
from janitor.engine.item_cleaning import ItemCleaning, kept_since
from janitor.engine.leadership import Leadership
from janitor.errors import Fenced, JanitorError
from janitor.items.cleaning import has_cleanup
from janitor.items.pipelines import pipelines_of
from janitor.jobs.job import Job
from janitor.loops import Loop, Loops
from janitor.runs import Fence, Outcome
from janitor.settings.settings import Settings
from janitor.state import State, expired, item_old, recent
from janitor.state.clocks import boot_clock
from janitor.state.expired import Bounds
from janitor.state.free_pages import FreePages
from janitor.state.item_old import OldItems
from janitor.state.retention import OldRows, OldRuns, Walk
from janitor.state.tables import actions, run_logs

log = logging.getLogger(__name__)

FIRST_SECONDS = 60.0
"""How long after the daemon came to lead: what was missed runs first."""
EVERY_SECONDS = 600.0
TRUSTED_SECONDS = 24 * 3600.0
"""How long ago the clock must have been set forward to be believed."""
LOOK_SECONDS = 30.0
"""How often a daemon looks whether it leads."""
STEP_SECONDS = 0.1
"""How long a step may hold up others that write."""
LEAST_PAUSE_SECONDS = 0.05
FIRST_ROWS, LEAST_ROWS, MOST_ROWS = 100, 20, 5_000


@dataclass(frozen=True)
class Step:
    """A step that was taken: how many rows went, and how long it took."""

    gone: int
    seconds: float


class Pruning:
    """A thread of the daemon that leads."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        jobs: Mapping[str, Job],
        leadership: Leadership,
        loops: Loops | None = None,
        first_seconds: float = FIRST_SECONDS,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        """Each time that this daemon comes to lead, nothing is deleted in the `first_seconds` after the first step."""
        self._state, self._settings, self._jobs, self._leadership = state, settings, jobs, leadership
        self._first_seconds, self._clock = first_seconds, clock
        self._at = 0.0
        self._led_under: Fence | None = None
        self._loops = loops or Loops()
        self._loop = self._loops.loop("pruning", self.step)
        self._cleaning: Loop | None = None
        self._item_cleaning = ItemCleaning(state, settings)
        self._to_clean: tuple[Bounds, datetime, tuple[Fence, ...]] | None = None
        self._round: Iterator[Step] | None = None
        self._told = False

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Take no further step."""
        self._loop.ask_to_stop()

    def step(self) -> float:
        """Delete a little, if this daemon leads and if it is time to; the seconds until the next step."""
        fence = self._leadership.lead.fence
        if fence is None:
            return LOOK_SECONDS
        if fence != self._led_under:
            self._led_under, self._round = fence, None
            self._at = self._clock() + self._first_seconds
        if self._clock() < self._at:
            return min(LOOK_SECONDS, self._at - self._clock())
        # If a step raises what is no JanitorError, the duty is done again soon, with a new round.
        now = self._state.clock.now() - self._state.clock.leapt(TRUSTED_SECONDS)
        steps, self._round = self._round or self.round(now, fence), None
        taken = self._take_next(steps)
        if taken is None:
            self._at = self._clock() + EVERY_SECONDS
            return LOOK_SECONDS
        self._round = steps
        return max(LEAST_PAUSE_SECONDS, taken.seconds)

    def round(self, now: datetime, fence: Fence | None = None) -> Iterator[Step]:
        """Delete what is old at a moment: a little whenever the next step is asked for.

        `fence` is that of the daemon's lease, as it stands when the first step is asked for if None. Runs and items
        with a `cleanup` are deleted in a thread of their own: a cleanup may take its time.

        Raises:
            Fenced: this daemon does not lead any more; nothing is deleted.
            Unavailable, Rejected: the state database is away.
        """
        jobs, fences = dict(self._jobs), self._leadership.lead.fences if fence is None else (fence,)
        cleaned = [job.id for job in jobs.values() if job.cleanup is not None]
        bounds = self._bounds_at(now, jobs)
        if cleaned or any(map(has_cleanup, pipelines_of(jobs).values())):
            self._wake_cleaning(replace(bounds, jobs=cleaned), now, fences)
        for walk in self._walks(replace(bounds, without=cleaned), now):
            rows = FIRST_ROWS
            while (taken := self._take(walk, rows, fences)) is not None:
                yield taken
                rows = next_size(rows, taken.seconds)

    def _take_next(self, steps: Iterator[Step]) -> Step | None:
        """Take the next step of a round; None if the round is over, or cannot go on."""
        try:
            taken = next(steps, None)
            self._told = False
            return taken
        except Fenced:
            return None  # the keeper notices it, too
        except JanitorError as exc:
            log.log(logging.DEBUG if self._told else logging.WARNING, "what is old stays until the next look: %s", exc)
            self._told = True
            return None

    def _take(self, walk: Walk, rows: int, fences: tuple[Fence, ...]) -> Step | None:
        with self._state.begin(*fences) as connection:
            # From here on others wait; how long this has waited for them does not count.
            began = time.perf_counter()
            gone = walk.step(connection, rows)
        return None if gone is None else Step(gone, time.perf_counter() - began)

    def _bounds_at(self, now: datetime, jobs: Mapping[str, Job]) -> Bounds:
        needed = list({name for job in jobs.values() for name in job.dependencies})
        with self._state.read() as connection:
            # Jobs that depend on a job build on its newest success, however old it is.
            spared = frozenset(recent.last_with(connection, needed, Outcome.SUCCEEDED).values())
        days = timedelta(days=self._settings.history_days)
        return Bounds(now - days, self._settings.history_runs, spared, needed=needed)

    def _walks(self, bounds: Bounds, now: datetime) -> Iterator[Walk]:
        yield from map(OldRuns, expired.walks(bounds))
        for level, days in log_days(self._settings).items():
            of_level = (run_logs.c.level == level) & (run_logs.c.at < now - timedelta(days=days))
            yield OldRows(run_logs, of_level)
        yield from self._walks_of_items(now)
        yield OldRows(actions, actions.c.at < now - timedelta(days=self._settings.actions_days))
        yield FreePages()

    def _walks_of_items(self, now: datetime) -> Iterator[Walk]:
        """Items that are kept long enough; those with a cleanup are cleaned up first: see `item_cleaning.py`."""
        for pipeline in pipelines_of(dict(self._jobs)).values():
            if not has_cleanup(pipeline):
                yield OldItems(pipeline.plan, *kept_since(pipeline, now))
        yield from item_old.walks(now)

    def _wake_cleaning(self, bounds: Bounds, now: datetime, fences: tuple[Fence, ...]) -> None:
        self._to_clean = bounds, now, fences
        if self._cleaning is None:
            cleaning = self._loops.loop("cleaning up", self._clean)
            # There may be no thread to be had: then the next look tries again.
            cleaning.start()
            self._cleaning = cleaning
        self._cleaning.wake()

    def _clean(self) -> None:
        """Delete runs and items with a `cleanup`, until none is old."""
        wanted, self._to_clean = self._to_clean, None
        if wanted is None:
            return
        bounds, now, fences = wanted
        jobs = dict(self._jobs)
        try:
            if bounds.jobs:
                cleanup.prune(self._state, jobs, self._settings, bounds, fences)
            self._item_cleaning.look(filter(has_cleanup, pipelines_of(jobs).values()), now, fences)
        except Fenced:
            pass  # another daemon leads, and does the rest
        except JanitorError as exc:
            log.warning("old runs and items could not be cleaned up, the next look tries again: %s", exc)


def next_size(rows: int, seconds: float) -> int:
    """How many rows the next step takes, if the last took so many, and so long: at most twice as many."""
    wanted = rows * min(2.0, STEP_SECONDS / max(seconds, 0.001))
    return max(LEAST_ROWS, min(MOST_ROWS, int(wanted)))


def log_days(settings: Settings) -> dict[str, int]:
    """For how many days lines of each level are kept; lines of other levels stay as long as their runs."""
    return {
        "DEBUG": settings.log_debug_days,
        "INFO": settings.log_info_days,
        "WARNING": settings.log_warning_days,
        "ERROR": settings.log_error_days,
        "CRITICAL": settings.log_error_days,
    }
