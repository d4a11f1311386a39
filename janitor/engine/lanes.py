"""Lanes: where the clock puts due slots; a thread for each run, one run for each job, and no job waits for another."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job as ClockJob
from apscheduler.triggers.base import BaseTrigger

from janitor.engine.runner import Runner
from janitor.engine.stages import Begun, Entered, Slot
from janitor.errors import Interrupted, JanitorError, Skip
from janitor.jobs.job import Job
from janitor.jobs.slots import Slots, slots_between
from janitor.logs.formats import facts_of
from janitor.runs import Outcome
from janitor.state import run_records
from janitor.state.run_records import LostSlots

log = logging.getLogger(__name__)

ASLEEP = "the machine was asleep, or its clock was set forward"
"""Why slots were missed that a clock that ran all the time leapt over."""
RECORDER_SECONDS = 12.0
"""How long the recorder may take to end: a little longer than a statement on the state database."""


class Lanes(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An APScheduler executor: what is due goes into the journal in the clock's order, and into a thread of its own."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        """No lane is open before the scheduler starts; `jobs` may grow until then."""
        super().__init__()
        self._jobs = jobs
        self.runner: Runner = None  # type: ignore[assignment]  # given by Scheduler.start, before anything is due
        self._busy: set[str] = set()
        self._idle = threading.Condition()
        self._closed = False
        self._tell: Callable[[], None] = lambda: None
        self._news = threading.Event()
        self._recorder = threading.Thread(target=self._record, name="recorder", daemon=True)

    def on_free(self, tell: Callable[[], None]) -> None:
        """Have somebody told, in the run's thread, whenever a run has ended and is on record."""
        self._tell = tell

    def start(self, scheduler: object, alias: str) -> None:
        """Called by APScheduler when the clock starts."""
        super().start(scheduler, alias)
        self._recorder.start()

    def submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Take the slots that are due; APScheduler's own count of instances is not needed, a lane holds one run."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: ClockJob, run_times: Sequence[datetime]) -> None:
        """Run the newest slot; those before it were slept over."""
        ours = self._jobs[job.id]
        now = datetime.now(timezone.utc)
        slots = Slots(_utc(run_times[0]), _utc(run_times[-1]), len(run_times))
        before = Slots(slots.first_at, _utc(run_times[-2]), len(run_times) - 1) if run_times[1:] else None
        slot = self.account(ours, slots, before, now, ASLEEP, run_records.SCHEDULE)
        if slot is not None:
            self.enter(ours, slot)

    def account(
        self, job: Job, slots: Slots, before: Slots | None, now: datetime, why: str, origin: str
    ) -> Slot | None:
        """Record as missed all of a stretch of slots but the last one, where that still runs, and return it.

        `before` is the stretch without its last slot; None for a stretch of one.
        """
        runs_last = job.catch_up == "last" or (now - slots.last_at).total_seconds() <= job.late_seconds
        missed = before if runs_last else slots
        if missed is not None:
            lost = LostSlots(job.id, missed.first_at, missed.last_at, missed.count, Outcome.MISSED, why, job.trigger)
            extra = facts_of(job.id, Outcome.MISSED, why)
            log.warning("%s missed %d slot(s) up to %s: %s", job.id, missed.count, missed.last_at, why, extra=extra)
            self.runner.add_lost(lost)
            self._news.set()
        return Slot(slots.last_at, origin) if runs_last else None

    def enter(self, job: Job, slot: Slot) -> None:
        """Begin a run in its job's lane, or record the slot as skipped where the lane is taken."""
        with self._idle:
            if self._closed:
                return
            taken = job.id in self._busy
            self._busy.add(job.id)
        if taken:
            if slot.origin != run_records.AFTER:
                self._skip(job, slot)
            return
        entered = self.runner.enter(job, slot)
        threading.Thread(target=self._run, args=(entered,), name=job.id, daemon=True).start()

    def run_now(self, job: Job, dry_run: bool) -> int:
        """Begin a run that a person asks for, in the job's lane; its id, once it is on record.

        Raises:
            Skip: the job is running, here or in another process.
            Interrupted: the daemon is stopping.
            Unavailable, Rejected: the state database cannot record the run, which then does not begin.
        """
        with self._idle:
            if self._closed:
                raise Interrupted("the daemon is stopping")
            if job.id in self._busy:
                raise Skip(self._still_running(job))
            self._busy.add(job.id)
        entered = self.runner.enter(job, Slot(None, run_records.BY_HAND), dry_run)
        try:
            begun: Begun = self.runner.journal.result(entered.start)
        except BaseException:
            self._leave(job)
            raise
        threading.Thread(target=self._run, args=(entered,), name=job.id, daemon=True).start()
        return begun.run_id

    def close(self) -> None:
        """Let no further run begin, and have every lost slot recorded."""
        with self._idle:
            self._closed = True
        self._news.set()
        if self._recorder.is_alive():
            self._recorder.join(RECORDER_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait until every lane is free; False where that took longer."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, seconds)

    def _skip(self, job: Job, slot: Slot) -> None:
        reason = self._still_running(job)
        log.warning("%s skipped: %s", job.id, reason, extra=facts_of(job.id, Outcome.SKIPPED, reason))
        at = slot.at or datetime.now(timezone.utc)
        self.runner.add_lost(LostSlots(job.id, at, at, 1, Outcome.SKIPPED, reason, job.trigger))
        self._news.set()

    def _run(self, entered: Entered) -> None:
        try:
            self.runner.carry_out(entered)
        except Skip as exc:
            log.debug("%s did not start: %s", entered.job.id, exc)
        except JanitorError as exc:
            log.warning("%s did not start: %s", entered.job.id, exc)
        finally:
            self._leave(entered.job)
            self._tell()

    def _leave(self, job: Job) -> None:
        with self._idle:
            self._busy.discard(job.id)
            self._idle.notify_all()

    def _still_running(self, job: Job) -> str:
        other = next((live.run.id for live in list(self.runner.live.values()) if live.job.id == job.id), None)
        return "still running" + (f" (run {other})" if other else "")

    def _record(self) -> None:
        """Record lost slots in a thread of their own: the clock never waits for the state database."""
        while not self._closed:
            self._news.wait()
            self._news.clear()
            self.runner.journal.settle()


def before_last(trigger: BaseTrigger, slots: Slots) -> Slots | None:
    """A stretch of a trigger's slots without its last one; None for a stretch of one."""
    moment = timedelta(microseconds=1)
    return slots_between(trigger, slots.first_at - moment, slots.last_at - moment)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
