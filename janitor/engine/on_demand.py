"""Runs of jobs that have no slots: each begins by itself, as soon as there is work for it.

    woken      what is added in this process is told at once; a run begins within milliseconds
    looked     more often than once a second one statement asks for the work of other processes, for all jobs together
    an inbox   has work always: as its run ends, the next begins
    a failure  lets the next run wait: 1, 2, 4, ... seconds, a minute at most; a person who retries ends that
    a pause    ends the run that goes on, too, and so does another job in its place: it would go on for long

A job whose schedule has moments begins at these alone, and leaves no run behind if there is no work then. What it had
no time for in one run, it goes on with in the next.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime

from janitor.databases.direct import prepare_all
from janitor.engine.live import Live
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Interrupted, JanitorError
from janitor.items import waking
from janitor.items.work import RUN_SECONDS, StepTask
from janitor.jobs.job import Job
from janitor.jobs.with_work import Paced
from janitor.runs import Outcome, Run
from janitor.state import actions, item_due, job_records
from janitor.state.item_changes import First
from janitor.state.run_records import WORK, Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.8
LONGEST_PAUSE_SECONDS = 60.0
FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT)


@dataclass
class _Rest:
    """How long a job waits after its runs have failed."""

    failures: int = 0
    until: float = -math.inf


class OnDemand:
    """One thread that looks which jobs have work, and begins them."""

    def __init__(self, jobs: Mapping[str, Job], runner: Runner, enter: Callable[[Job, Slot], None]) -> None:
        """`enter` begins a run in its job's lane, or does nothing if the lane is taken."""
        self._jobs, self._runner, self._enter = jobs, runner, enter
        self._loop = runner.loops.loop("items", self._step, first=LOOK_SECONDS)
        self._rests: dict[str, _Rest] = {}
        self._looked_at: dict[str, datetime] = {}
        self._unfinished: set[str] = set()
        self._listening = ExitStack()
        self._told = False
        self._seen: int | None = None
        runner.observers.append(self)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._prepare()
        self._listening.enter_context(waking.listening(self._hear))
        self._loop.start()

    def wake(self) -> None:
        """Look now: a run has ended, or jobs were replaced."""
        if self._with_work():
            self._loop.wake()

    def _prepare(self) -> None:
        if self._with_work():
            with suppress(JanitorError), self._runner.state.read() as connection:
                prepare_all(connection)

    def stop(self) -> None:
        """Begin no further run."""
        self._listening.close()
        self._loop.ask_to_stop()

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Nothing: see `Observers`."""

    def lost(self, lost: LostSlots) -> None:
        """Nothing: see `Observers`."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Let a job wait whose run has failed."""
        if job.work is None:
            return
        if job.work.kind == "step" and ending.outcome is Outcome.SUCCEEDED and ending.seconds >= RUN_SECONDS:
            self._unfinished.add(job.id)
        if ending.outcome not in FAILURES:
            self._rests.pop(job.id, None)
            return
        rest = self._rests.setdefault(job.id, _Rest())
        rest.failures += 1
        rest.until = time.monotonic() + min(LONGEST_PAUSE_SECONDS, 2.0 ** (min(rest.failures, 10) - 1))

    def look(self) -> list[Job]:
        """The jobs that have work now, and may begin.

        Raises:
            Unavailable, Rejected: the state database cannot be read.
        """
        self._end_rests()
        now, live = self._runner.state.clock.now(), [one for one in list(self._runner.live.values()) if one.job.work]
        going_on = {one.job.id for one in live}
        waiting = [job for job in self._with_work() if job.id not in going_on and self._may_begin(job, now)]
        if not waiting and not live:
            return []
        kinds = {kind: [job.id for job in waiting if job.work and job.work.kind == kind] for kind in ("step", "reply")}
        with self._runner.state.read() as connection:
            due = item_due.steps(connection, kinds["step"], now) if kinds["step"] else set()
            due |= item_due.replies(connection, kinds["reply"], now) if kinds["reply"] else set()
            due |= {job.id for job in waiting if job.work and job.work.kind == "inbox"}
            paused = job_records.paused(connection) if due or live else set()
        for job in waiting:
            self._looked_at[job.id] = now
        self._unfinished.difference_update(job.id for job in waiting)
        for one in live:
            self._end_if_needless(one, paused)
        return [job for job in waiting if job.id in due and job.id not in paused]

    def _end_rests(self) -> None:
        """Let a job wait no longer that has failed, if somebody wants what it has to do tried again now."""
        resting = [job for job, rest in self._rests.items() if time.monotonic() < rest.until]
        if not resting and (self._seen is not None or not self._with_work()):
            return
        with self._runner.state.read() as connection:
            self._seen, pipelines = actions.retried(connection, self._seen)
        for job in resting:
            if job.partition(".")[0] in pipelines:
                self._rests[job].until = -math.inf

    def _end_if_needless(self, live: Live, paused: Collection[str]) -> None:
        """Let a run end in order that was begun for a job that is paused now, or is no more as it was."""
        job = live.job
        if live.run.by_hand or (self._jobs.get(job.id) is job and job.enabled and job.id not in paused):
            return
        if isinstance(job.func, StepTask):
            job.func.wind_up()
        else:
            live.run.ask_to_stop(Interrupted("its job is paused, or was changed"))

    def _with_work(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.work is not None and job.enabled]

    def _may_begin(self, job: Job, now: datetime) -> bool:
        if not isinstance(job.trigger, Paced):
            return False
        rest = self._rests.get(job.id)
        if rest is not None and time.monotonic() < rest.until:
            return False
        # Since it was last looked at: a moment that came while its run went on counts too. A clock may be set back.
        since = self._looked_at[job.id] = min(now, self._looked_at.get(job.id, now))
        return job.id in self._unfinished or job.trigger.may_begin(since, now)

    def _hear(self, firsts: list[First]) -> None:
        self._loop.wake()

    def _step(self) -> float:
        if self._runner.lead.fence is not None:
            self._try_look()
        return LOOK_SECONDS

    def _try_look(self) -> None:
        try:
            for job in self.look():
                with self._loop.duty.aside(job.id):
                    self._enter(job, Slot(None, WORK))
            self._told = False
        except JanitorError as exc:
            log.log(logging.DEBUG if self._told else logging.WARNING, "work cannot be looked for: %s", exc)
            self._told = True
