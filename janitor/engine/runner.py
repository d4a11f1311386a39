"""A run from its recorded start to its recorded end, whatever happens between.

slot, or a person's wish
  enter       its beginning is put into the journal, in the clock's order      beginning.py, journal.py
  carry_out   the journal answers: begun, skipped, or the database is away     lost_slots.py
              the run is live: its lines and progress are saved                live.py, reports.py
              its task is called, again if it failed and may                   attempts.py, child.py
              its end is recorded, its job is free                             endings.py
"""

import functools
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from janitor.engine import child
from janitor.engine.attempts import Attempts
from janitor.engine.beginning import Beginning
from janitor.engine.descriptions import Descriptions
from janitor.engine.endings import Endings
from janitor.engine.journal import Journal
from janitor.engine.journal_records import FAILURES, Record, is_recorded
from janitor.engine.leadership import Lead, Leadership
from janitor.engine.lease_renewal import LeaseRenewal
from janitor.engine.live import Live, LiveRuns, Progress
from janitor.engine.lost_slots import Losses
from janitor.engine.observers import Observers
from janitor.engine.obstacles import Obstacles
from janitor.engine.reports import Reports
from janitor.engine.stages import Begun, Entered, Slot
from janitor.engine.surroundings import Surroundings
from janitor.errors import Interrupted
from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.logs.formats import facts_of
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.loops import Loops
from janitor.runs import Outcome, Run, running
from janitor.runs.threads import follow_into_threads
from janitor.settings.settings import Settings
from janitor.state import State, holders, run_records
from janitor.state.run_records import Attempt, Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

SAVE_SECONDS = 2.0
"""For how long a save writes what waits, however much that is: whoever saves also renews leases."""


class Runner:
    """Executes jobs and remembers how it went; the daemon's lanes and the command line share one."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        holder: str,
        mask: Mask,
        run_log: RunLog,
        loops: Loops | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """`holder` is this process's name on leases; `loops` are what goes on beside the runs, new ones if None.

        `surroundings` is what all runs share, if this process is here for them alone. Nothing is opened before the
        first run.
        """
        seconds, self.live = settings.lease_seconds, LiveRuns()
        self.loops = loops or Loops(mask)
        self.state, self.settings, self.holder, self.mask = state, settings, holder, mask
        self.obstacles = Obstacles(mask)
        self.observers, self.journal = Observers(self.loops), Journal(state, self.obstacles)
        self._surroundings = surroundings or Surroundings()
        self.renewal = LeaseRenewal(state, seconds, self.live, state.clock.boot)
        self.leadership = Leadership(state, holder, seconds, self.renewal, self.live, self.observers)
        self.losses = Losses(self.journal, holder, self.observers, lambda: self.lead)
        self._reports = Reports(state, run_log, self.live)
        self._descriptions = Descriptions(mask)
        self._beginning = Beginning(state, seconds, holder, self._descriptions)
        self._attempts = Attempts(state, settings, mask, self._surroundings.print)
        self._endings = Endings(self.journal, self._reports, self.observers, state.clock.now)
        follow_into_threads()

    @property
    def lead(self) -> Lead:
        """Whether this process leads now."""
        return self.leadership.lead

    @property
    def waiting(self) -> int:
        """How many records wait for the state database."""
        return self.journal.waiting

    def execute(self, job: Job, slot: Slot, dry_run: bool = False) -> tuple[int, Ending] | None:
        """Run a job to its end here; the run's id and ending, None if none could begin (why is recorded).

        No other run of the job may go on in this process.

        Raises:
            JanitorError: a run without a slot could not begin; the error says why. `Skip`: the job runs already.
        """
        return self.carry_out(self.enter(job, slot, dry_run))

    def enter(self, job: Job, slot: Slot, dry_run: bool = False) -> Entered:
        """Put a run's beginning into the journal, in order, without waiting for it; `carry_out` does the rest."""
        fences = () if slot.origin == run_records.BY_HAND else self.lead.fences
        write = functools.partial(self._beginning.write, job=job, slot=slot, dry_run=dry_run)
        return Entered(job, slot, dry_run, self.journal.add(Record(write, fences)))

    def carry_out(self, entered: Entered) -> tuple[int, Ending] | None:
        """Run what was entered to its end in this thread; returns and raises what `execute` does."""
        begun = self._begun(entered)
        if begun is None:
            return None
        live = self._made_live(entered, begun)
        self.observers.began(entered.job, entered.slot, live.run)
        return live.run.id, self._to_its_end(live)

    def lost(self, lost: LostSlots) -> None:
        """Record slots that got no run, now or once the state database is back."""
        self.losses.record(lost)

    def flush(self) -> None:
        """Save what waited for the state database, then what the runs that go on have reported.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        self.journal.flush()
        self._reports.save()

    def save(self) -> bool:
        """As `flush`, but only for some seconds, and what another thread writes is not waited for: it may hang.

        False if something still waits: the next call goes on.

        Raises:
            Unavailable, Rejected: as `flush` does.
        """
        if self.journal.waiting:
            # What the journal writes waits for long if another process has the SQLite file to itself. Nobody else may
            # renew leases meanwhile.
            with self.state.begin():
                pass
        is_over = self.journal.flush(wait=False, seconds=SAVE_SECONDS)
        self._reports.save()
        return is_over

    def look_around(self) -> None:
        """Put back what a task has changed for all."""
        self._surroundings.look(self.live)

    def cut_off(self, reason: str) -> None:
        """Record every run that still goes on as interrupted; what its task does later changes no record."""
        self._endings.cut_off(list(self.live.values()), reason)

    def _begun(self, entered: Entered) -> Begun | None:
        """What the journal answers; None if the run does not begin, with the reason on record or in the log."""
        job, slot = entered.job, entered.slot
        try:
            begun: Begun | LostSlots = self.journal.result(entered.start)
        except Interrupted as exc:
            log.warning("%s did not start: %s", job.id, exc, extra={"facts": {"job": job.id}})
            return None
        except FAILURES as exc:
            if slot.at is None:
                raise
            if is_recorded(exc):
                log.info("the slot %s of %s has an outcome already", slot.at, job.id)
                return None
            reason = self.mask(f"the run could not be recorded: {exc}")
            log.error("%s failed: %s", job.id, reason, extra=facts_of(job.id, Outcome.FAILED, reason))
            lost = LostSlots(job.id, slot.at, slot.at, 1, Outcome.FAILED, reason, job.trigger)
            self.losses.record(lost, entered.start.fences)
            return None
        if isinstance(begun, LostSlots):
            self.observers.lost(begun)
            return None
        return begun

    def _made_live(self, entered: Entered, begun: Begun) -> Live:
        job, progress = entered.job, Progress(self.mask)
        run = Run(
            id=begun.run_id,
            job=job.id,
            slot_at=entered.slot.at,
            started_at=begun.started_at,
            dry_run=entered.dry_run,
            deadline=time.monotonic() + job.timeout,
            timeout_seconds=job.timeout,
            fences={begun.fence.name: begun.fence},
            state=self.state,
            holder=holders.holder_of_run(self.holder, begun.run_id),
            used=begun.used,
            guard=self.lead.check,
            on_progress=progress.report,
            mask=self.mask,
            by_hand=entered.slot.origin == run_records.BY_HAND,
            children=functools.partial(child.warm, self.settings, self._surroundings.print),
        )
        live = Live(run, job, begun.fence, progress)
        self._reports.open(live)
        self._descriptions.is_kept(job)
        return live

    def _to_its_end(self, live: Live) -> Ending:
        run, began = live.run, time.monotonic()
        with running(run):
            # A call that logs is foreign too: a task may have put a handler of its own there.
            with foreign_code(_not_logged):
                log.info("started%s", " (dry run)" if run.dry_run else "")
            ending, made = self._attempts.make(live)
            self._surroundings.run_ends(run.id, run.job, self.live)
            ending = replace(ending, seconds=time.monotonic() - began, attempts=len(made))
            with foreign_code(_not_logged):
                _tell(ending)
        run.ended = True
        self._endings.close(live, ending, _worth_keeping(made, ending))
        return ending


def _worth_keeping(made: Sequence[Attempt], ending: Ending) -> Sequence[Attempt]:
    """The attempts; none if there is a single attempt, which says what the run's record says."""
    return () if len(made) == 1 and made[0].outcome is ending.outcome else made


def _not_logged(error: BaseException) -> None:
    """The run is on record all the same."""


def _tell(ending: Ending) -> None:
    facts = {
        "outcome": ending.outcome.value,
        "duration": round(ending.seconds, 6),
        "counts": ending.counts or {},
        **({"reason": ending.reason} if ending.reason else {}),
    }
    counts = "".join(f" {name}={value}" for name, value in (ending.counts or {}).items())
    reason = f": {ending.reason}" if ending.reason else ""
    level = logging.ERROR if ending.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) else logging.INFO
    extra = {"facts": facts, "trace": ending.traceback}
    log.log(level, "%s after %.3f s%s%s", ending.outcome.value, ending.seconds, reason, counts, extra=extra)
