"""A run of a step: it takes items in batches, has them tried, and records what came of them.

    take      as many as are done in a quarter of a second: few if they are slow, hundreds if they are quick
    try       by the step's workers, in threads or child processes
    record    what is done, at most 50 ms late, and the next batch is taken in the same transaction
    wait      if nothing is left, ten seconds for more; after ten minutes the run ends, and the next goes on

What the run holds when it is stopped goes back. What it held when its process died goes back as the next run begins.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from janitor.errors import Interrupted, JanitorError, Skip
from janitor.items import waking
from janitor.items.pipeline import Pipeline
from janitor.items.step import Step
from janitor.items.trying import Call, Trying, call_here, most_deaths
from janitor.items.workers import Workers
from janitor.items.writing import written
from janitor.memory.access import state_of
from janitor.runs import Run, current_run
from janitor.state import item_claims, item_endings
from janitor.state.item_changes import Changed, First
from janitor.state.item_claims import Claimed, Position
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_plans import lane_of

log = logging.getLogger(__name__)

LATE_SECONDS = 0.04
"""How long something that is done may wait for its record."""
BATCH_SECONDS = 0.25
MOST_TOGETHER = 500
LINGER_SECONDS = 10.0
"""How long a run waits for more items before it ends."""
RUN_SECONDS = 600.0
"""After so long a run takes no further items: the next run does."""
LOOK_SECONDS = 1.0
"""How often a run that waits looks for items of other processes."""
WHOLE_LOOK_SHARE = 20
"""A whole look is done again after so many times as long as it took, and after a second at least."""


class StepTask:
    """The task of a step's job."""

    def __init__(self, pipeline: Pipeline, step: Step, variables: bool = False) -> None:
        """`variables` adds local variables to tracebacks."""
        self.pipeline, self.step, self._variables = pipeline, step, variables
        self.__name__ = step.name
        self.__module__, self.__qualname__ = step.func.__module__, getattr(step.func, "__qualname__", step.name)
        self.__doc__ = step.func.__doc__

    def __call__(self) -> dict[str, int]:
        """Try the step's items, in the current run; how many had which status.

        Raises:
            Skip: it is a dry run: a step cannot be tried without its effects.
        """
        run = current_run()
        if run.dry_run:
            raise Skip("a step takes no items in a dry run")
        return _Work(self.pipeline, self.step, run, self._variables).go()


class _Work:
    """One run of a step."""

    def __init__(self, pipeline: Pipeline, step: Step, run: Run, variables: bool) -> None:
        self._pipeline, self._step, self._run = pipeline, step, run
        self._plan, self._state = pipeline.plan, state_of(run)
        self._now = self._state.clock.now
        self._lane = lane_of(pipeline.name, step.name)
        trying = Trying(pipeline, step, run, self._now, variables)
        self._workers = Workers(step.workers, trying.try_one, self._make_call, step.record == "each")
        self._size = _Size(step.workers)
        self._place = _Place()
        self._counts: Counter[str] = Counter()
        self._ends_at = time.monotonic() + RUN_SECONDS
        self._linger = 0.0 if run.by_hand else LINGER_SECONDS
        self._promoted_at = 0.0

    def go(self) -> dict[str, int]:
        """Work until nothing is left, or the run is over; how many items had which status."""
        with waking.listening(self._hear):
            try:
                self._put_back_dead()
                self._until_quiet()
            finally:
                self._leave()
        return dict(self._counts)

    def _make_call(self) -> AbstractContextManager[Call]:
        if self._step.isolation == "process":
            made: AbstractContextManager[Call] = self._run.children(self._step)
            return made
        return nullcontext(partial(call_here, self._step))

    def _until_quiet(self) -> None:
        quiet_since = time.monotonic()
        while not self._is_left_idle():
            self._run.check()
            if self._round() or self._workers.held:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= self._linger or self._is_over:
                return
            self._wait()

    def _is_left_idle(self) -> bool:
        """Whether the daemon is shutting down while nothing is under way: nothing is cut off then."""
        return not self._workers.held and type(self._run.stopped_by) is Interrupted

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def _wait(self) -> None:
        # A worker that has done something waits 40 ms for company; one that has nothing left is looked after at once.
        held = bool(self._workers.held)
        self._workers.news.wait(LATE_SECONDS if held else min(LOOK_SECONDS, self._linger or LATE_SECONDS))
        self._workers.news.clear()

    def _round(self) -> int:
        """Record what is done, and take more; how many items were recorded or taken."""
        ends = self._workers.done()[:MOST_TOGETHER]
        wanted = 0 if self._is_over else self._size.wanted(self._workers.waiting)
        if not ends and not wanted:
            return 0
        found = self._look(wanted)
        if not ends and not found:
            return 0
        claimed, changed = self._write(ends, found)
        self._workers.recorded(ends)
        self._workers.give(claimed)
        for end in ends:
            self._counts[end.told] += 1
        self._size.done(len(ends))
        waking.wake(first for first in changed.ready if first.lane != self._lane)
        return len(ends) + len(claimed)

    def _look(self, wanted: int) -> Sequence[int]:
        """The items to take next, as a plain read finds them."""
        if not wanted:
            return ()
        if time.monotonic() - self._promoted_at >= LOOK_SECONDS:
            self._promote()
        began = time.monotonic()
        after = self._place.of_look(began)
        with self._state.read() as connection:
            found = item_claims.look(connection, self._lane, wanted, after)
        self._place.looked(found.last, after is None, time.monotonic() - began)
        return found.ids

    def _write(self, ends: Sequence[End], ids: Sequence[int]) -> tuple[list[Claimed], Changed]:
        def write(connection: Connection, ends: Sequence[End]) -> tuple[list[Claimed], Changed]:
            now, changes = self._now(), Changes(self._plan.pipeline)
            changed = item_endings.record(connection, self._plan, self._step.name, self._run.id, ends, now, changes)
            taken = item_claims.take(connection, self._plan, self._step.name, self._run.id, ids, now, changes)
            changes.write(connection)
            return taken, changed

        return written(self._state, self._run, write, ends)

    def _promote(self) -> None:
        """Let those be taken whose moment for another try has come, and end those that are past their time."""
        self._promoted_at, now = time.monotonic(), self._now()
        with self._state.read() as connection:
            due = item_claims.has_later(connection, self._lane, now), item_claims.has_expired(
                connection, self._pipeline.name, now
            )
        if due[0]:
            self._change(partial(item_claims.promote, plan=self._plan, step=self._step.name, now=now))
            self._place.forget()
        if due[1]:
            self._change(partial(item_claims.expire, plan=self._plan, now=now))

    def _put_back_dead(self) -> None:
        most = most_deaths(self._step)
        release = partial(
            item_claims.release_dead,
            plan=self._plan,
            step=self._step.name,
            run_id=self._run.id,
            deaths=lambda step: most,
            now=self._now(),
        )
        self._change(release)

    def _change(self, change: Callable[[Connection], Changed]) -> None:
        changed = written(self._state, self._run, lambda connection, ends: change(connection), ())
        waking.wake(changed.ready)

    def _hear(self, firsts: list[First]) -> None:
        """Take note of what was made ready in this process; in whichever thread did it."""
        own = [first for first in firsts if first.lane == self._lane]
        if own:
            self._place.step_back(min((first.rank, first.sort_at) for first in own))
            self._workers.news.set()

    def _leave(self) -> None:
        """Let the workers end, record what they did, and give back what they hold."""
        left = self._workers.close()
        # A worker that comes to no safe point holds up the run, as a task does; the daemon's grace ends both.
        while not self._workers.join(LOOK_SECONDS) and not self._run.ended:
            pass
        try:
            while ends := self._workers.done()[:MOST_TOGETHER]:
                self._write(ends, ())
                self._workers.recorded(ends)
                for end in ends:
                    self._counts[end.told] += 1
            if left:
                self._change(
                    partial(item_claims.let_go, plan=self._plan, step=self._step.name, claims=left, now=self._now())
                )
        except JanitorError as exc:
            log.warning("what %s held goes back as its next run begins: %s", self._lane, exc)


class _Size:
    """How many items to hold: as many as are done in a quarter of a second, and one for each worker."""

    def __init__(self, workers: int) -> None:
        self._workers, self._since, self._done = workers, time.monotonic(), 0
        self._size = workers

    def wanted(self, waiting: int) -> int:
        """How many more to take; none while enough wait."""
        return self._size - waiting if waiting <= self._size // 2 else 0

    def done(self, count: int) -> None:
        """Note that so many were recorded."""
        self._done += count
        seconds = time.monotonic() - self._since
        if seconds >= BATCH_SECONDS or self._done >= self._size:
            quick = self._done / max(seconds, 0.001) * BATCH_SECONDS
            self._size = max(self._workers, min(MOST_TOGETHER, 2 * self._size, int(quick)))
            self._since, self._done = time.monotonic(), 0


class _Place:
    """How far a lane was looked through: what lies before was taken, as far as this process knows."""

    def __init__(self) -> None:
        self._after: Position | None = None
        self._whole_at, self._whole_seconds = 0.0, 0.0

    def of_look(self, now: float) -> Position | None:
        """From where to look; None for a whole look."""
        pause = max(LOOK_SECONDS, WHOLE_LOOK_SHARE * self._whole_seconds)
        return None if now - self._whole_at >= pause else self._after

    def looked(self, last: Position | None, is_whole: bool, seconds: float) -> None:
        """Note how far a look has come."""
        self._after = last or self._after
        if is_whole:
            self._whole_at, self._whole_seconds = time.monotonic(), seconds

    def step_back(self, first: tuple[int, datetime]) -> None:
        """Look again from a place on, if it lies before."""
        if self._after is not None and first < self._after[:2]:
            self._after = (*first, 0)

    def forget(self) -> None:
        """Look from the beginning next."""
        self._after = None
