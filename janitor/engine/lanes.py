"""Lanes: where the clock puts due slots; one run for each job, each in a thread.

    a slot is due     its job runs                it is skipped
                      its job waits for a thread  the slot that waits is missed, and this slot waits in its place
                      a thread is free            the run is entered into the journal, in the clock's order, and begins
                      all threads are busy        it waits, the first come first; it is entered once a thread is free
    a person asks, or a job has `own_thread`      the run has a thread of its own, and never waits

What waits is not on record: if this process ends, the next start counts these slots as all others without an outcome.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial
from queue import SimpleQueue

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job as ClockJob

from janitor.engine.leaps import STOOD_STILL
from janitor.engine.occupied import Occupied, Waiting
from janitor.engine.run_threads import RunThreads
from janitor.engine.runner import Runner
from janitor.engine.stages import Begun, Entered, Slot
from janitor.engine.stretches import before_last, share
from janitor.errors import Interrupted, JanitorError, Skip, Unavailable
from janitor.jobs.job import Job
from janitor.jobs.slots import Slots, slots_acted_on
from janitor.logs.formats import facts_of
from janitor.runs import Outcome
from janitor.state import run_records
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

RECORDER_SECONDS = 12.0
"""How long the recorder may take to end: a little longer than a statement on the state database."""
NO_THREAD = "the system gives no thread for it: {}"
"""Why a run did not begin, if too many threads or too little memory are left."""
ALL_BUSY = "all threads of RUNS_AT_ONCE were busy"
"""Why a slot got no run of its own, or began late."""
GONE = "the job was taken out, or switched off, while it waited for a thread"
TOLD_SECONDS = 1.0
"""A run that waited longer for a thread is told as late."""


class Lanes(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An APScheduler executor: what is due goes into the journal in the clock's order, and to a thread."""

    def __init__(
        self,
        jobs: Mapping[str, Job],
        runner: Runner,
        on_free: Callable[[], None] = lambda: None,
        late_because: Callable[[], str] = lambda: STOOD_STILL,
    ) -> None:
        """No lane is open before the clock starts; `jobs` may change at any time.

        `on_free` is called whenever a run has ended and is on record, in the run's thread. `late_because` tells why
        several slots of a job came due together.
        """
        super().__init__()
        self._jobs, self._runner, self._on_free, self._late_because = jobs, runner, on_free, late_because
        self._now = runner.state.clock.now
        self._occupied = Occupied()
        self._threads = RunThreads(runner.settings.runs_at_once, self.hand_out, self._stuck)
        # In a thread of its own: the clock never waits for the state database.
        self._recorder = runner.loops.loop("recorder", self._record, first=None, at_end=True)

    def start(self, scheduler: object, alias: str) -> None:
        """Called by APScheduler when the clock starts."""
        super().start(scheduler, alias)
        self._recorder.start()

    @property
    def waiting(self) -> int:
        """How many runs wait for a thread."""
        return self._occupied.waiting

    def submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Take the slots that are due. APScheduler's own count of instances is not needed: a lane holds one run."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Run the newest slot; the clock slept over those before it."""
        trigger = self._jobs[job.id].trigger
        slots = slots_acted_on(trigger, _utc(run_times[0]), _utc(run_times[-1]))
        before = before_last(trigger, slots)
        self.take(self._jobs[job.id], slots, before, self._now(), self._late_because(), run_records.SCHEDULE)

    def take(self, job: Job, slots: Slots, before: Slots | None, now: datetime, why: str, origin: str) -> None:
        """Record slots that came due together as missed, and run the last, as `stretches.share` says."""
        if origin == run_records.CATCH_UP:
            self._occupied.withdraw(job.id)  # what waits has no outcome, so it is among these slots
        shared = share(job, slots, before, now=now, why=why, origin=origin)
        if shared.missed is not None:
            missed, extra = shared.missed, facts_of(job.id, Outcome.MISSED, why)
            log.warning("%s missed %d slot(s) up to %s: %s", job.id, missed.slots, missed.last_at, why, extra=extra)
            self._lose(missed)
        if shared.runs is not None:
            self.enter(job, shared.runs)

    def enter(self, job: Job, slot: Slot) -> None:
        """Begin a run in its job's lane; if the lane is taken, the slot is recorded as skipped.

        If all threads are busy, the run waits. A slot that comes while an older slot of the job waits takes its place.
        """
        if self._occupied.take(job.id):
            self._begin(job, slot)
        elif (before := self._occupied.waiting_of(job.id)) is not None:
            self._take_place(before, job, slot)
        elif slot.origin not in (run_records.AFTER, run_records.WORK) and not self._occupied.closed:
            self._skip(job, slot)

    def _begin(self, job: Job, slot: Slot) -> None:
        """Begin a run in a free lane, or let it wait."""
        try:
            begin = self._thread(job, own=job.own_thread)
        except RuntimeError as exc:
            self._fail(job, slot, exc)
            return
        if begin is None:
            self._occupied.let_wait(Waiting(job, slot, time.monotonic()))
            self.hand_out()
            return
        entered = None
        try:
            entered = self._runner.enter(job, slot)
        finally:
            begin(entered)

    def _take_place(self, before: Waiting, job: Job, slot: Slot) -> None:
        """Let a slot wait in place of the job's older slot, which is missed."""
        if slot.at is None or (before.slot.at is not None and slot.at <= before.slot.at):
            return
        if not self._occupied.replace(before, Waiting(job, slot, time.monotonic())):
            self._skip(job, slot)  # the older slot has begun meanwhile
        elif before.slot.at is not None:
            self._miss(job, before.slot.at, ALL_BUSY)

    def hand_out(self) -> None:
        """Give what waits to threads that are free, the first come first; the clock calls it too, for stuck threads."""
        self._occupied.hand_out(self._give)

    def _give(self, waiting: Waiting) -> bool:
        """Give a thread what waits; False if all threads are busy."""
        try:
            return self._threads.give(partial(self._run_late, waiting))
        except RuntimeError as exc:
            self._fail(waiting.job, waiting.slot, exc)
            return True

    def _run_late(self, waiting: Waiting) -> None:
        """Run what has waited, unless it may not run any more."""
        slot, job = waiting.slot, self._jobs.get(waiting.job.id)
        late = time.monotonic() - waiting.since
        entered = None
        try:
            if self._runner.lead.fence is None:
                log.debug("%s did not start: its slots are another daemon's now", waiting.job.id)
            elif job is None or not job.enabled:
                self._miss(waiting.job, slot.at, GONE)
            elif job.catch_up == "none" and slot.at is not None and late > job.late_seconds:
                self._miss(job, slot.at, ALL_BUSY)
            else:
                if late > TOLD_SECONDS:
                    log.warning("%s begins %.0f s late: %s", job.id, late, ALL_BUSY)
                entered = self._runner.enter(job, slot)
        finally:
            self._run(waiting.job, lambda: entered)

    def _stuck(self) -> int:
        """How many runs came to no safe point in their time: each holds a thread, nobody knows for how long."""
        now = time.monotonic()
        shared = [live for live in list(self._runner.live.values()) if not live.job.own_thread]
        return sum(live.run.deadline < now for live in shared)

    def run_now(self, job: Job, dry_run: bool) -> int:
        """Begin a run that a person asks for, in the job's lane; its id, once it is on record.

        Raises:
            Skip: the job runs already, here or in another process.
            Interrupted: the daemon is stopping.
            Unavailable, Rejected: no thread can be started, or the state database cannot record the run; then it
                does not begin.
        """
        if not self._occupied.take(job.id):
            raise Interrupted("the daemon is stopping") if self._occupied.closed else Skip(self._still_running(job))
        try:
            begin = self._thread(job, own=True)
        except RuntimeError as exc:
            self._occupied.leave(job.id)
            raise Unavailable(NO_THREAD.format(exc)) from exc
        assert begin is not None, "a thread of its own never waits"
        with ExitStack() as undo:
            undo.callback(begin, None)
            entered = self._runner.enter(job, Slot(None, run_records.BY_HAND), dry_run)
            begun: Begun = self._runner.journal.result(entered.start)
            undo.pop_all()
        begin(entered)
        return begun.run_id

    def stand_by(self) -> None:
        """Forget what waits: its slots are another daemon's now, and may be on record when this daemon leads again."""
        self._occupied.withdraw_if(lambda waiting: True)

    def withdraw_after(self, now: datetime) -> None:
        """Forget what waits and is still to come, since the clock was set back: the clock submits it again."""
        self._occupied.withdraw_if(lambda waiting: waiting.slot.at is not None and waiting.slot.at > now)

    def close(self) -> None:
        """Let no further run begin, and have every lost slot recorded."""
        # The next start counts the slots that wait as all others without an outcome.
        self._occupied.close()
        self._recorder.ask_to_stop()
        self._recorder.wait(RECORDER_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait until every lane is free; False if that takes longer."""
        return self._occupied.wait(seconds)

    def _skip(self, job: Job, slot: Slot) -> None:
        reason = self._still_running(job)
        log.warning("%s skipped: %s", job.id, reason, extra=facts_of(job.id, Outcome.SKIPPED, reason))
        at = slot.at or self._now()
        self._lose(LostSlots(job.id, at, at, 1, Outcome.SKIPPED, reason, job.trigger))

    def _lose(self, lost: LostSlots) -> None:
        self._runner.losses.add(lost)
        self._recorder.wake()

    def _fail(self, job: Job, slot: Slot, error: RuntimeError) -> None:
        self._occupied.leave(job.id)
        reason = NO_THREAD.format(error)
        log.error("%s failed: %s", job.id, reason, extra=facts_of(job.id, Outcome.FAILED, reason))
        at = slot.at or self._now()
        self._lose(LostSlots(job.id, at, at, 1, Outcome.FAILED, reason, job.trigger))

    def _miss(self, job: Job, at: datetime | None, reason: str) -> None:
        """Record one slot as missed; a run without a slot has nothing to record."""
        if at is not None:
            log.warning("%s missed a slot: %s", job.id, reason, extra=facts_of(job.id, Outcome.MISSED, reason))
            self._lose(LostSlots(job.id, at, at, 1, Outcome.MISSED, reason, job.trigger))

    def _thread(self, job: Job, own: bool) -> Callable[[Entered | None], None] | None:
        """Have a thread for a run, before the run is on record; give what tells it the run, None if there is none.

        None if all threads are busy, and the run has no thread of its `own`.

        Raises:
            RuntimeError: no thread can be started.
        """
        told: SimpleQueue[Entered | None] = SimpleQueue()
        work = partial(self._run, job, told.get)
        if own:
            self._threads.start(work)
        elif self._occupied.waiting or not self._threads.give(work):
            return None
        return told.put

    def _run(self, job: Job, told: Callable[[], Entered | None]) -> None:
        threading.current_thread().name = job.id
        try:
            if (entered := told()) is not None:
                self._runner.carry_out(entered)
        except Skip as exc:
            log.debug("%s did not start: %s", job.id, exc)
        except JanitorError as exc:
            log.warning("%s did not start: %s", job.id, exc)
        finally:
            self._occupied.leave(job.id)
            self._on_free()

    def _still_running(self, job: Job) -> str:
        if self._occupied.waiting_of(job.id) is not None:
            return f"it is due and waits already: {ALL_BUSY}"
        other = next((live.run.id for live in list(self._runner.live.values()) if live.job.id == job.id), None)
        return "still running" + (f" (run {other})" if other else "")

    def _record(self) -> None:
        """Record lost slots."""
        self._runner.journal.settle()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
