"""A run of a step: it takes items in batches, has them tried, and records what came of them.

    take      as many as are done in a quarter of a second: few if they are slow, hundreds if they are quick
    try       by the step's workers, in threads or child processes
    record    what is done, at most 50 ms late, and the next batch is taken in the same transaction
    wait      if nothing is left, ten seconds for more; after ten minutes the run ends, and the next goes on
    each second, what others have done is looked at: a step that is paused takes nothing more, and a plan may change

What the run holds when it is stopped goes back. What it held when its process died goes back as the next run begins.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from sqlalchemy import Connection

from janitor.errors import Interrupted, JanitorError, Skip
from janitor.items import waking
from janitor.items.ahead import Ahead
from janitor.items.batches import LOOK_SECONDS, MOST_TOGETHER, Place, Size, Suspects
from janitor.items.beats import Beats
from janitor.items.handing import Handing, Receiver
from janitor.items.pipeline import Pipeline
from janitor.items.sealing import Seal
from janitor.items.step import AS_SOON_AS, Step
from janitor.items.trying import Call, Trying, call_here, most_deaths
from janitor.items.workers import Ready, Workers
from janitor.items.writing import written
from janitor.memory.access import state_of
from janitor.runs import Run, current_run
from janitor.settings.settings import Settings
from janitor.state import item_claims, item_endings, item_plans, job_records
from janitor.state.item_changes import Changed, First
from janitor.state.item_claims import Claimed
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_plans import lane_of

log = logging.getLogger(__name__)

LATE_SECONDS = 0.04
"""How long something that is done may wait for its record."""
COMPANY_SECONDS = 0.001
"""How long the first of several that are recorded at once waits for the others."""
LINGER_SECONDS = 10.0
"""How long a run waits for more items before it ends."""
RUN_SECONDS = 600.0
"""After so long a run takes no further items: the next run does."""


class StepTask:
    """The task of a step's job."""

    def __init__(self, pipeline: Pipeline, step: Step, settings: Settings | None = None) -> None:
        """Without `settings` nobody is told of stages, and tracebacks have no local variables."""
        self.pipeline, self.step, self._settings = pipeline, step, settings
        self.__name__ = step.name
        self.__module__, self.__qualname__ = step.func.__module__, getattr(step.func, "__qualname__", step.name)
        self.__doc__ = step.func.__doc__
        self._work: _Work | None = None

    def __call__(self) -> dict[str, int]:
        """Try the step's items, in the current run; how many had which status.

        Raises:
            Skip: it is a dry run: a step cannot be tried without its effects.
        """
        run = current_run()
        if run.dry_run:
            raise Skip("a step takes no items in a dry run")
        self._work = _Work(self.pipeline, self.step, run, self._settings)
        try:
            return self._work.go()
        finally:
            self._work = None

    def wind_up(self) -> None:
        """Let the run that goes on take nothing more, and end once it has done what it holds; from any thread."""
        work = self._work
        if work is not None:
            work.wind_up()


class _Work:
    """One run of a step."""

    def __init__(self, pipeline: Pipeline, step: Step, run: Run, settings: Settings | None) -> None:
        self._pipeline, self._step, self._run = pipeline, step, run
        self._plan, self._state = pipeline.plan, state_of(run)
        self._now = self._state.clock.now
        self._lane = lane_of(pipeline.name, step.name)
        variables = settings is not None and settings.traceback_locals
        self._beats, seal = Beats(pipeline.replies, settings), None if settings is None else Seal(settings)
        trying = Trying(pipeline, step, run, self._now, variables, self._beats, seal)
        self._workers = Workers(step.workers, trying.try_one, self._make_ready, step.record == "each")
        self._call_here: Call = partial(call_here, step)
        self._size, self._place, self._suspects = Size(step.workers), Place(), Suspects()
        self._counts: Counter[str] = Counter()
        self._ends_at = time.monotonic() + RUN_SECONDS
        # A step that has moments of its own takes what is due at them.
        self._linger = 0.0 if run.by_hand or step.schedule != AS_SOON_AS else LINGER_SECONDS
        self._looked_around_at, self._winds_up = -math.inf, False
        self._receiver = Receiver(self._state, pipeline.name, step, run, self._room, self._workers.news.set)
        self._ahead = Ahead(self._take_ahead, self._receiver, self._state.is_server)

    def go(self) -> dict[str, int]:
        """Work until nothing is left, or the run is over; how many items had which status."""
        with waking.listening(self._hear):
            try:
                self._put_back_dead()
                self._receiver.open()
                self._until_quiet()
            finally:
                self._leave()
                self._beats.close(self._now())
                self._suspects.done()
        return dict(self._counts)

    def wind_up(self) -> None:
        """Take nothing more; what waits for a worker goes back."""
        self._winds_up = True
        self._workers.news.set()

    def _room(self, promised: int) -> int:
        """How many items this run can be handed besides so many that are promised; any thread asks."""
        is_waiting = bool(self._linger) and not self._is_over and not self._run.stop.is_set()
        if not is_waiting or self._workers.error is not None or not self._place.is_empty or self._suspects.are_about:
            return 0
        return self._size.wanted(self._workers.waiting + promised)

    def _make_ready(self) -> AbstractContextManager[Ready]:
        if self._step.isolation == "process":
            made: AbstractContextManager[Ready] = self._run.children(self._step, self._run)
            return made
        return nullcontext(self._ready_here)

    def _ready_here(self) -> Call:
        self._run.check()
        return self._call_here

    def _until_quiet(self) -> None:
        quiet_since = time.monotonic()
        while not self._is_left_idle():
            self._run.check()
            if self._workers.error is not None:
                raise self._workers.error
            if self._round() or self._workers.held or self._receiver.is_expecting:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= self._linger:
                return
            if self._is_over:
                return
            self._beats.tick(self._now())
            self._wait()

    def _is_left_idle(self) -> bool:
        """Whether the daemon is shutting down while nothing is under way: nothing is cut off then."""
        return not (self._workers.held or self._receiver.is_expecting) and type(self._run.stopped_by) is Interrupted

    @property
    def _is_over(self) -> bool:
        return self._winds_up or self._receiver.is_in_doubt or time.monotonic() >= self._ends_at

    def _wait(self) -> None:
        # A worker that has done something waits 40 ms for company; one that has nothing left is looked after at once.
        idle = min(self._place.seconds_to_look(time.monotonic()), self._linger or LATE_SECONDS)
        has_news = self._workers.news.wait(LATE_SECONDS if self._workers.held else idle)
        if has_news and self._step.record == "each" and self._workers.held:
            self._workers.idle.wait(COMPANY_SECONDS)  # the others may be done as soon: one commit is for all of them
        self._workers.news.clear()

    def _round(self) -> int:
        """Record what is done, and take more; how many items were recorded or taken."""
        if time.monotonic() - self._looked_around_at >= LOOK_SECONDS:
            self._look_around()
        handed = self._receiver.handed()
        if handed:
            self._workers.give(handed, self._size.enough)
        ends = self._workers.done()[:MOST_TOGETHER]
        wanted = self._wanted()
        if self._ahead.begins(wanted, len(ends)):
            wanted = 0
        if not ends and not wanted:
            return len(handed)
        found = self._look(wanted)
        if not ends and not found:
            return len(handed)
        claimed, ready = self._write(ends, found)
        self._workers.recorded(ends)
        self._workers.give(claimed, self._size.enough)
        if not self._workers.held:
            self._suspects.done()
        for end in ends:
            self._counts[end.told] += 1
        self._size.done(len(ends))
        waking.wake(first for first in ready if first.lane != self._lane)
        return len(handed) + len(ends) + len(claimed)

    def _wanted(self) -> int:
        """How many items to look for."""
        if (
            self._is_over
            or self._ahead.is_busy
            or self._suspects.has_one
            or (self._suspects.waits and self._workers.held)
        ):
            return 0
        if self._place.was_empty(time.monotonic()):
            return 0
        return self._size.wanted(self._workers.waiting)

    def _look(self, wanted: int, is_beside: bool = False) -> Sequence[int]:
        """The items to take next, as a plain read finds them.

        With `is_beside` none if a suspect is first: the run's thread sees to it, once the run holds nothing else.
        """
        if not wanted:
            return ()
        began = time.monotonic()
        after = self._place.of_look(began)
        with self._state.read() as connection:
            found = item_claims.look(connection, self._lane, wanted, after)
            if found.is_suspect and is_beside:
                return ()
            if found.is_suspect and not self._suspects.may_take(bool(self._workers.held)):
                if self._suspects.waits:
                    return ()
                found = item_claims.look(connection, self._lane, wanted, after, suspects=False)
        self._place.looked(found.last, after is None, time.monotonic() - began, found.is_all)
        return found.ids

    def _write(self, ends: Sequence[End], ids: Sequence[int]) -> tuple[list[Claimed], list[First]]:
        """Record ends, and take items; what was taken, and what others are to be told of."""
        with Handing.after(self._state, self._pipeline.name, self._step.name, len(ends)) as handing:

            def write(connection: Connection, ends: Sequence[End]) -> tuple[list[Claimed], Changed]:
                now, changes = self._now(), Changes(self._plan.pipeline)
                changed = item_endings.record(connection, self._plan, self._step.name, self._run.id, ends, now, changes)
                handing.take(connection, self._plan, now, changed.can_begin, changes)
                taken = item_claims.take(connection, self._plan, self._step.name, self._run.id, ids, now, changes)
                changes.write(connection)
                return taken, changed

            taken, changed = written(self._state, self._run, write, ends, handing)
            return taken, handing.left(changed.ready)

    def _take_ahead(self, wanted: int) -> Sequence[Claimed]:
        """Take items in a transaction of their own, beside the run's thread."""
        ids = self._look(wanted, is_beside=True)
        return self._write((), ids)[0] if ids else ()

    def _look_around(self) -> None:
        """Look at what others have done, and at what the time has brought."""
        self._looked_around_at, now = time.monotonic(), self._now()
        with self._state.read() as connection:
            self._read_plan(connection)
            is_paused = not self._run.by_hand and self._lane in job_records.paused(connection)
            has_later = item_claims.has_later(connection, self._lane, now)
            has_expired = item_claims.has_expired(connection, self._pipeline.name, now)
        if is_paused or not self._plan.has(self._step.name):
            self.wind_up()
        if has_later:
            # Those whose moment for another try has come.
            self._change(partial(item_claims.promote, plan=self._plan, step=self._step.name, now=now))
            self._place.forget()
        if has_expired:
            self._change(partial(item_claims.expire, plan=self._plan, now=now))

    def _read_plan(self, connection: Connection) -> None:
        self._plan = item_plans.load(connection, self._pipeline.name) or self._plan

    def _put_back_dead(self) -> None:
        release = partial(
            item_claims.release_dead,
            plan=self._plan,
            step=self._step.name,
            run_id=self._run.id,
            most=most_deaths(self._step),
            now=self._now(),
            failed=self._step.failed,
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
        try:
            left = self._workers.close()
            self._let_go({**{one.id: one.claim for one in self._receiver.close()}, **left})
            while not self._have_ended(LATE_SECONDS):
                self._record_rest()
            self._record_rest()
            self._let_go(self._workers.close())
        except JanitorError as exc:
            log.warning("what %s held goes back as its next run begins: %s", self._lane, exc)
            while not self._have_ended(LOOK_SECONDS):
                pass

    def _let_go(self, claims: Mapping[int, int]) -> None:
        if claims:
            self._change(
                partial(item_claims.let_go, plan=self._plan, step=self._step.name, claims=claims, now=self._now())
            )

    def _have_ended(self, seconds: float) -> bool:
        # A worker that comes to no safe point holds up the run, as a task does; the daemon's grace ends both.
        return self._workers.join(seconds) or self._run.ended

    def _record_rest(self) -> None:
        while ends := self._workers.done()[:MOST_TOGETHER]:
            # What ends now may have been at work for long: its pipeline may have another plan since.
            with self._state.read() as connection:
                self._read_plan(connection)
            _, ready = self._write(ends, ())
            self._workers.recorded(ends)
            for end in ends:
                self._counts[end.told] += 1
            waking.wake(ready)
