"""APScheduler's clock, held and let go by a daemon. All that reaches into APScheduler's private parts is here.

    STANDING_BY   another daemon leads, or none does yet: slots are not ours
         │ go, once the state database has told which slots have an outcome
         v
       GOING      slots run when they are due
         │ hold, since the time of day leapt, or the jobs changed
         v
     COUNTING     slots wait until they are counted anew; then go

From any state `stand_by` leads back to STANDING_BY. A clock that is asked to stop stays in its state, and ends.

Private parts, and why: `_event`, `_jobstores_lock` and `_dispatch_event`, since APScheduler's own loop reads the host's
clock. Here the time is handed in: it is the state database's, by which all daemons count. Ours also beats a heartbeat
at each tick, and notices that the time of day leapt. It knows one store and one executor. `benchmarks/clockwork.py`
and `benchmarks/idle.py` measure it. `_create_trigger`, so that triggers are made exactly as `add_job` makes them.
`tests/engine/test_clock.py` fails if APScheduler changes one of them.
"""

import functools
import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from apscheduler.events import EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job as ClockJob
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING, STATE_STOPPED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from janitor.errors import summary
from janitor.guard import foreign_code

log = logging.getLogger(__name__)

STORE = "default"
"""APScheduler's name for the place where jobs are kept."""
HANDING_SECONDS = 2.0
"""How long to wait for a tick that is handing slots on."""


class Phase(Enum):
    """What becomes of a slot that is due."""

    STANDING_BY = "standing by"
    COUNTING = "counting"
    GOING = "going"


class Clock(BlockingScheduler):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A BlockingScheduler whose loop is run from outside, tick by tick; from any thread but for `tick`."""

    def __init__(self) -> None:
        """The clock stands by, without jobs."""
        defaults = {"misfire_grace_time": None, "coalesce": False, "max_instances": 1}
        super().__init__(timezone=timezone.utc, job_defaults=defaults)
        self.phase = Phase.STANDING_BY
        self.held_because = ""
        """Why slots that wait until they are counted anew get no run of their own; empty if the clock stood by."""
        self.begins = False
        """Whether the clock goes, or goes again, and its first tick is still to come: slots waited for it."""
        self.changing = threading.RLock()
        """Held while slots are counted, or jobs replaced."""
        self._store, self._submit = MemoryJobStore(), _to_nobody
        self.add_jobstore(self._store, STORE)
        self._event = threading.Event()
        self._asked_to_stop = threading.Event()

    @property
    def leading(self) -> bool:
        """Whether this is the one daemon of its state database whose clock goes, or is about to."""
        return self.phase is not Phase.STANDING_BY

    @property
    def stopping(self) -> bool:
        """Whether the clock was asked to stop."""
        return self._asked_to_stop.is_set()

    def open(self, executor: BaseExecutor) -> None:
        """Start APScheduler's stores and executors, standing by: due jobs go to `executor` once the clock goes."""
        self._submit = executor.submit_job
        self.add_executor(executor)
        super(BlockingScheduler, self).start(paused=True)

    def wait(self, seconds: float) -> bool:
        """Wait until something happens, or for so long; False, and no wait, if the clock is to stop."""
        self._event.wait(0 if self.stopping else seconds)
        self._event.clear()
        return self.state != STATE_STOPPED and not self.stopping

    def tick(self, now: datetime) -> datetime | None:
        """Run what is due at `now`; when the next slot is due, None if there is none or the clock does not go.

        A job whose trigger raises has no further slot, which is logged; the slots of all others come as ever.
        """
        following: datetime | None = now
        # A trigger may be anybody's.
        with foreign_code(functools.partial(self._set_aside, now)):
            following = self._run_due(now)
        return following

    def go(self) -> None:
        """Run slots when they are due, from now on."""
        with self.changing:
            if self.state != STATE_STOPPED:
                self.begins = self.begins or self.phase is not Phase.GOING
                self.phase = Phase.GOING
                self.resume()

    def hold(self, why: str) -> bool:
        """Let slots wait until they are counted anew; False, and nothing happens, if the clock does not go.

        `why` is the reason of slots that are missed meanwhile.
        """
        with self.changing:
            if self.phase is not Phase.GOING:
                return False
            self.phase, self.held_because = Phase.COUNTING, why
            self._pause()
            return True

    def stand_by(self) -> None:
        """Run no slot: they are another daemon's."""
        with self.changing:
            self.phase, self.held_because = Phase.STANDING_BY, ""
            self._pause()

    def ask_to_stop(self) -> None:
        """Let `wait` return False; from any thread, or from a signal's handler."""
        self._asked_to_stop.set()
        self.wakeup()

    def close(self) -> None:
        """End APScheduler's stores and executors, and begin no run any more."""
        if self.state != STATE_STOPPED:
            self.shutdown(wait=False)

    def set_next(self, job_id: str, at: datetime | None) -> None:
        """Let a job's next slot be the one at `at`; None ends its slots. A job without slots stays so."""
        clock_job = self.get_job(job_id)
        if clock_job is not None and clock_job.next_run_time is not None:
            clock_job.modify(next_run_time=at)

    def make_trigger(self, trigger: BaseTrigger | str | None, arguments: dict[str, Any]) -> BaseTrigger:
        """A trigger as `add_job` makes it.

        Raises:
            TypeError, ValueError, LookupError: there is no such trigger, or it takes no such arguments.
        """
        return self._create_trigger(trigger, arguments)

    def _run_due(self, now: datetime) -> datetime | None:
        submitted = []
        with self._jobstores_lock:
            if self.state == STATE_PAUSED:
                return None
            for job in self._store.get_due_jobs(now):
                slots, following = _due(job, now)
                with foreign_code(functools.partial(_not_submitted, job)):
                    self._submit(job, slots)
                    submitted.append(JobSubmissionEvent(EVENT_JOB_SUBMITTED, job.id, STORE, slots))
                self._move_on(job, following)
            self.begins = False
            next_at: datetime | None = self._store.get_next_run_time()
        for event in submitted:
            self._dispatch_event(event)
        return next_at

    def _move_on(self, job: ClockJob, at: datetime | None) -> None:
        """Let a job's next slot be the one at `at`; a job without further slots leaves the clock."""
        if at is None:
            self.remove_job(job.id)
        else:
            job.next_run_time = at
            self._store.update_job(job)

    def _set_aside(self, now: datetime, error: BaseException) -> None:
        """Take their slots from the jobs whose triggers raise; if there is none, the error is another's."""
        broken = [job for job in self.get_jobs() if job.next_run_time is not None and _raises(job, now)]
        if not broken:
            raise error
        for job in broken:
            text = "%s has no further slot until the next start, since its trigger fails: %s"
            log.error(text, job.id, summary(error), exc_info=error)
            job.modify(next_run_time=None)

    def _pause(self) -> None:
        if self.state == STATE_RUNNING:
            self.pause()
        # What another thread is handing on belongs to the time before. But a trigger may hang, and must not hold us up.
        if self._jobstores_lock.acquire(timeout=HANDING_SECONDS):
            self._jobstores_lock.release()


def _due(job: ClockJob, now: datetime) -> tuple[list[datetime], datetime | None]:
    """The slots of a job up to `now`, and the slot after them."""
    slots, following = [], job.next_run_time
    while following is not None and following.astimezone(timezone.utc) <= now:
        slots.append(following)
        following = job.trigger.get_next_fire_time(following, now)
    return slots, following


def _raises(job: ClockJob, now: datetime) -> bool:
    """Whether a job's trigger raises if it is asked for the slots that are due."""
    with foreign_code(lambda error: True) as asked:
        _due(job, now)
    return asked.instead is not None


def _not_submitted(job: ClockJob, error: BaseException) -> None:
    log.error("slots of %s get no run, since they could not be handed on: %s", job.id, summary(error), exc_info=error)


def _to_nobody(job: ClockJob, slots: Sequence[datetime]) -> None:
    """Where slots go before the clock is open: there are none."""
