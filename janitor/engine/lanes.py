"""Lanes: where the clock puts due slots; a thread for each run, one run for each job, and no job waits for another."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from queue import SimpleQueue

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job as ClockJob

from janitor.engine.runner import Runner
from janitor.engine.stages import Begun, Entered, Slot
from janitor.engine.stretches import ASLEEP, before_last, share
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


class Lanes(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An APScheduler executor: what is due goes into the journal in the clock's order, and into a thread of its own."""

    def __init__(self, jobs: Mapping[str, Job], runner: Runner, on_free: Callable[[], None] = lambda: None) -> None:
        """No lane is open before the clock starts; `jobs` may change at any time.

        `on_free` is called whenever a run has ended and is on record, in the run's thread.
        """
        super().__init__()
        self._jobs, self._runner, self._on_free = jobs, runner, on_free
        self._busy: set[str] = set()
        self._idle = threading.Condition()
        self._closed = False
        # In a thread of its own: the clock never waits for the state database.
        self._recorder = runner.loops.loop("recorder", self._record, first=None, at_end=True)

    def start(self, scheduler: object, alias: str) -> None:
        """Called by APScheduler when the clock starts."""
        super().start(scheduler, alias)
        self._recorder.start()

    def submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Take the slots that are due. APScheduler's own count of instances is not needed: a lane holds one run."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Run the newest slot; the clock slept over those before it."""
        trigger = self._jobs[job.id].trigger
        slots = slots_acted_on(trigger, _utc(run_times[0]), _utc(run_times[-1]))
        before = before_last(trigger, slots)
        self.take(self._jobs[job.id], slots, before, datetime.now(timezone.utc), ASLEEP, run_records.SCHEDULE)

    def take(self, job: Job, slots: Slots, before: Slots | None, now: datetime, why: str, origin: str) -> None:
        """Record slots that came due together as missed, and run the last, as `stretches.share` says."""
        shared = share(job, slots, before, now=now, why=why, origin=origin)
        if shared.missed is not None:
            missed, extra = shared.missed, facts_of(job.id, Outcome.MISSED, why)
            log.warning("%s missed %d slot(s) up to %s: %s", job.id, missed.slots, missed.last_at, why, extra=extra)
            self._lose(missed)
        if shared.runs is not None:
            self.enter(job, shared.runs)

    def enter(self, job: Job, slot: Slot) -> None:
        """Begin a run in its job's lane; if the lane is taken, the slot is recorded as skipped."""
        with self._idle:
            if self._closed:
                return
            taken = job.id in self._busy
            self._busy.add(job.id)
        if taken:
            if slot.origin != run_records.AFTER:
                self._skip(job, slot)
            return
        try:
            begin = self._thread(job)
        except RuntimeError as exc:
            self._leave(job)
            self._fail(job, slot, exc)
        else:
            entered = None
            try:
                entered = self._runner.enter(job, slot)
            finally:
                begin(entered)

    def run_now(self, job: Job, dry_run: bool) -> int:
        """Begin a run that a person asks for, in the job's lane; its id, once it is on record.

        Raises:
            Skip: the job runs already, here or in another process.
            Interrupted: the daemon is stopping.
            Unavailable, Rejected: no thread can be started, or the state database cannot record the run; then it
                does not begin.
        """
        with self._idle:
            if self._closed:
                raise Interrupted("the daemon is stopping")
            if job.id in self._busy:
                raise Skip(self._still_running(job))
            self._busy.add(job.id)
        try:
            begin = self._thread(job)
        except RuntimeError as exc:
            self._leave(job)
            raise Unavailable(NO_THREAD.format(exc)) from exc
        with ExitStack() as undo:
            undo.callback(begin, None)
            entered = self._runner.enter(job, Slot(None, run_records.BY_HAND), dry_run)
            begun: Begun = self._runner.journal.result(entered.start)
            undo.pop_all()
        begin(entered)
        return begun.run_id

    def close(self) -> None:
        """Let no further run begin, and have every lost slot recorded."""
        with self._idle:
            self._closed = True
        self._recorder.ask_to_stop()
        self._recorder.wait(RECORDER_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait until every lane is free; False if that takes longer."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, seconds)

    def _skip(self, job: Job, slot: Slot) -> None:
        reason = self._still_running(job)
        log.warning("%s skipped: %s", job.id, reason, extra=facts_of(job.id, Outcome.SKIPPED, reason))
        at = slot.at or datetime.now(timezone.utc)
        self._lose(LostSlots(job.id, at, at, 1, Outcome.SKIPPED, reason, job.trigger))

    def _lose(self, lost: LostSlots) -> None:
        self._runner.losses.add(lost)
        self._recorder.wake()

    def _fail(self, job: Job, slot: Slot, error: RuntimeError) -> None:
        reason = NO_THREAD.format(error)
        log.error("%s failed: %s", job.id, reason, extra=facts_of(job.id, Outcome.FAILED, reason))
        at = slot.at or datetime.now(timezone.utc)
        self._lose(LostSlots(job.id, at, at, 1, Outcome.FAILED, reason, job.trigger))

    def _thread(self, job: Job) -> Callable[[Entered | None], None]:
        """Start the thread of a run, before the run is on record; give what tells it the run, None if there is none.

        Raises:
            RuntimeError: no thread can be started.
        """
        told: SimpleQueue[Entered | None] = SimpleQueue()
        threading.Thread(target=self._run, args=(job, told), name=job.id, daemon=True).start()
        return told.put

    def _run(self, job: Job, told: SimpleQueue[Entered | None]) -> None:
        try:
            if (entered := told.get()) is not None:
                self._runner.carry_out(entered)
        except Skip as exc:
            log.debug("%s did not start: %s", job.id, exc)
        except JanitorError as exc:
            log.warning("%s did not start: %s", job.id, exc)
        finally:
            self._leave(job)
            self._on_free()

    def _leave(self, job: Job) -> None:
        with self._idle:
            self._busy.discard(job.id)
            self._idle.notify_all()

    def _still_running(self, job: Job) -> str:
        other = next((live.run.id for live in list(self._runner.live.values()) if live.job.id == job.id), None)
        return "still running" + (f" (run {other})" if other else "")

    def _record(self) -> None:
        """Record lost slots."""
        self._runner.journal.settle()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
