"""Care of items: what the daemon that leads does for pipelines, beside the runs of their jobs.

as it comes to lead    the plan of each pipeline is kept, for processes that add items
a plan has changed     open items are fitted to it, a few hundred at a time; and once more ten seconds later, since
                       what was under way meanwhile went by the plan before
each ten seconds       rows of counts are summed up; items past their time end, though no run takes them
                       what dead runs hold goes back, though no run of that step begins
                       what waits for a moment of a clock that was set back is tried at once
each minute            the counts are kept, for charts; older ones are thinned out by pruning
"""

import logging
import math
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError
from janitor.items import waking
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.items.trying import most_deaths
from janitor.jobs.job import Job
from janitor.runs import Fence
from janitor.state import item_claims, item_counts, item_due, item_fitting, item_plans
from janitor.state.item_changes import Changed
from janitor.state.item_plans import Plan, lane_of

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
SNAPSHOT_SECONDS = 60.0
SETTLED_SECONDS = 5.0
"""So long after a plan has changed nobody goes by the one before any more."""
SET_BACK_SECONDS = 1.0
"""What differs by less is no clock that was set."""


class ItemCare:
    """One thread of a daemon with pipelines; without any it does nothing."""

    def __init__(self, jobs: Mapping[str, Job], runner: Runner) -> None:
        """Nothing is written before the daemon leads."""
        self._jobs, self._runner = jobs, runner
        self._loop = runner.loops.loop("care of items", self._step, first=EVERY_SECONDS)
        self._snapshot_at = -math.inf
        self._unfitted: dict[str, tuple[Plan, float]] = {}
        self._told = False
        self._last: tuple[datetime, float] | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def stop(self) -> None:
        """End the thread after what it does now."""
        self._loop.ask_to_stop()

    def keep_plans(self) -> None:
        """Keep the plan of each pipeline, as the daemon comes to lead, or its jobs have changed.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away.
        """
        found = pipelines_of(self._jobs)
        if not found:
            return
        with self._runner.state.begin(*self._runner.lead.fences) as connection:
            for pipeline in found.values():
                if item_plans.save(connection, pipeline.plan):
                    log.info("the pipeline %s has the steps %s", pipeline.name, [one.name for one in pipeline.in_order])
        self._loop.wake()

    def look(self, fence: Fence) -> None:
        """Do all of it once.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away.
        """
        found = pipelines_of(self._jobs)
        if not found:
            return
        if self._clock_was_set_back():
            self._bring_forward(found.values(), fence)
        with self._runner.state.read() as connection:
            unfitted = item_plans.unfitted(connection)
        is_due = time.monotonic() - self._snapshot_at >= SNAPSHOT_SECONDS
        for pipeline in found.values():
            if pipeline.name in unfitted:
                self._fit(pipeline, fence)
            self._expire(pipeline, fence)
            self._release(pipeline, fence)
            with self._runner.state.begin(fence) as connection:
                item_counts.sum_up(connection, pipeline.name)
                if is_due:
                    self._snapshot(connection, pipeline.name)
        if is_due:
            self._snapshot_at = time.monotonic()

    def _clock_was_set_back(self) -> bool:
        """Whether the state database's clock has gone back since the last look, or may have while nobody looked."""
        now, at = self._runner.state.clock.now(), time.monotonic()
        last, self._last = self._last, (now, at)
        return last is None or (now - last[0]).total_seconds() < at - last[1] - SET_BACK_SECONDS

    def _bring_forward(self, pipelines: Iterable[Pipeline], fence: Fence) -> None:
        lanes = [lane for pipeline in pipelines for lane in pipeline.plan.lanes]
        with self._runner.state.begin(fence) as connection:
            number = item_due.bring_forward(connection, lanes, self._runner.state.clock.now())
        if number:
            log.warning("a clock was set back: %d items and replies that waited for its time are tried now", number)

    def _snapshot(self, connection: Connection, pipeline: str) -> None:
        now, newest = self._runner.state.clock.now(), item_counts.newest_snapshot(connection, pipeline)
        # Another daemon may have led a moment ago; and a clock may be set back.
        if newest is None or abs(now - newest) >= timedelta(seconds=SNAPSHOT_SECONDS / 2):
            item_counts.save_snapshot(connection, pipeline, now)

    def _fit(self, pipeline: Pipeline, fence: Fence) -> None:
        began, name = time.monotonic(), pipeline.name
        plan, since = self._unfitted.get(name, (pipeline.plan, began))
        since = since if plan == pipeline.plan else began
        self._unfitted[name] = pipeline.plan, since
        after: int | None = 0
        while after is not None and not self._loop.is_stopping:
            with self._runner.state.begin(fence) as connection:
                after, changed = item_fitting.fit(connection, pipeline.plan, after, self._runner.state.clock.now())
            waking.wake(changed.ready)
        if after is None and began - since >= SETTLED_SECONDS:
            with self._runner.state.begin(fence) as connection:
                item_plans.note_fitted(connection, pipeline.plan)
            del self._unfitted[name]

    def _release(self, pipeline: Pipeline, fence: Fence) -> None:
        """Give back what dead runs hold at steps that are paused, for example; else their next run has done it."""
        lanes = {lane_of(pipeline.name, step.name): step for step in pipeline.steps}
        with self._runner.state.read() as connection:
            held = [step for lane, step in lanes.items() if item_claims.has_held_by_dead(connection, lane)]
        for step in held:
            release = partial(
                item_claims.release_dead,
                plan=pipeline.plan,
                step=step.name,
                run_id=None,
                most=most_deaths(step),
                now=self._runner.state.clock.now(),
                failed=step.failed,
            )
            self._change(release, fence)

    def _expire(self, pipeline: Pipeline, fence: Fence) -> None:
        now = self._runner.state.clock.now()
        with self._runner.state.read() as connection:
            if not item_claims.has_expired(connection, pipeline.name, now):
                return
        self._change(partial(item_claims.expire, plan=pipeline.plan, now=now), fence)

    def _change(self, change: "partial[Changed]", fence: Fence) -> None:
        with self._runner.state.begin(fence) as connection:
            changed = change(connection)
        waking.wake(changed.ready)

    def _step(self) -> float:
        fence = self._runner.lead.fence
        if fence is not None:
            self._try_look(fence)
        return EVERY_SECONDS

    def _try_look(self, fence: Fence) -> None:
        try:
            self.look(fence)
            self._told = False
        except Fenced:
            pass  # another daemon leads, and does it
        except JanitorError as exc:
            log.log(logging.DEBUG if self._told else logging.WARNING, "items cannot be cared for: %s", exc)
            self._told = True
