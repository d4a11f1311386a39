"""Catching up: when the clock comes to go, each job's slots since the last one on record get their outcome.

    on record              no daemon ran                    now
    ──●────●────●────┊─────○─────○─────○─────○─────○─────────┊────●────●──> the clock goes
    last slot with an      missed: one record for all  │          set_next: the first slot after now
    outcome                                            runs now, if the job catches up

1. The state database remembers each job: its schedule, and since when it is enabled.
2. A job that was switched off, was not there, or had another schedule, owes nothing for that time. The same words in
   another zone are another schedule; other words for the same slots are not.
3. A job that is new owes nothing; if it is due at an interval, its newest slot runs at once. A moment that was over
   before its job came runs late.
4. Of the slots that are owed, the last runs (`catch_up="last"`), the others are recorded as missed.
5. What the time is, the state database says, whatever the hosts' clocks say. If a slot on record is a little ahead, it
   does not run again. Slots far ahead are taken back first: its clock was set back, and they come again.
6. The same is done if the time of day leaps, or the jobs change, while the clock goes.
"""

import functools
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Connection

from janitor.engine.clock import Clock
from janitor.engine.lanes import Lanes
from janitor.engine.leaps import LEAP
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.engine.stretches import PAST, before_last
from janitor.jobs.job import Job, Jobs
from janitor.jobs.slots import Slots, next_slot, slots_between
from janitor.runs.bounds import MOST_NAMED, listed
from janitor.state import job_records, run_records, slot_records
from janitor.state.job_records import JobRecord

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=10)
"""How far ahead of the clock a job's last slot may be on record, as after a daemon on a host whose clock was ahead: it
is waited for. A slot further ahead tells that the state database's clock was set back."""


class CatchingUp:
    """Accounts for the slots of all jobs, and lets the clock go."""

    def __init__(self, clock: Clock, jobs: Jobs, runner: Runner, lanes: Lanes, begin_as_told: set[str]) -> None:
        """`begin_as_told` are the jobs whose `next_run_time` was given; each is taken out once it is heeded."""
        self._clock, self._jobs, self._runner, self._lanes = clock, jobs, runner, lanes
        self._begin_as_told = begin_as_told
        self._duty = runner.loops.records("catching up")

    def account(self, now: datetime, why: str = "") -> None:
        """Account for every slot up to `now`, then let the clock go; `why` slots were lost, no daemon ran when empty.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away; the clock does not go.
        """
        jobs = list(self._jobs.values())
        known = {job.id: (job.identity, job.enabled) for job in jobs}
        with self._runner.state.begin(*self._runner.lead.fences) as connection:
            before = job_records.remember(connection, known, now, lambda job, was: self._jobs[job].has_schedule(was))
            last, taken_back = self._last_slots(connection, jobs, now)
        # What waits for a thread and is still to come, comes again.
        self._lanes.withdraw_after(now)
        log.info("leading with %d jobs: %s", len(known), listed(list(known), MOST_NAMED))
        _tell_ahead({name: at for name, at in last.items() if name in known}, now)
        for job in (job for job in jobs if job.enabled):
            with self._duty.aside(job.id):
                newest = last.get(job.id)
                since = now if job.id in taken_back else accounted_until(job, before.get(job.id), newest, now)
                if isinstance(job.trigger, DateTrigger) and job.id not in self._begin_as_told:
                    self._come_once(job, newest, since, now, why)
                    continue
                self._catch_up(job, since, now, why)
                # It may be ahead: a slot on record has its outcome.
                self._set_next(job, max(now, newest or now))
        self._clock.go()

    def _last_slots(
        self, connection: Connection, jobs: list[Job], now: datetime
    ) -> tuple[dict[str, datetime], set[str]]:
        """Each job's newest slot on record, and which jobs had slots far ahead, which are taken back first."""
        last = slot_records.last_slots(connection)
        ahead = [
            job for job in jobs if last.get(job.id, now) > now + AHEAD and not isinstance(job.trigger, DateTrigger)
        ]
        for job in ahead:
            log.warning("the clock was set back: the slots of %s after %s are still to come", job.id, now)
            between = functools.partial(slots_between, job.trigger)
            slot_records.take_back(connection, job.id, now, between)
        taken_back = {job.id for job in ahead}
        job_records.enabled_by(connection, now, taken_back)
        return (slot_records.last_slots(connection) if ahead else last), taken_back

    def _catch_up(self, job: Job, since: datetime | None, now: datetime, why: str) -> None:
        """Record the slots that were lost since a moment, and run the last if the job catches up; None: it is new."""
        if since is None:
            at = None if job.id in self._begin_as_told else newest_slot(job, now)
            if at is not None:
                self._lanes.enter(job, Slot(at))
            return
        lost = slots_between(job.trigger, since, now)
        if lost is not None:
            before = before_last(job.trigger, lost)
            self._lanes.take(job, lost, before, now, why or _down_until(now), run_records.CATCH_UP)

    def _come_once(self, job: Job, newest: datetime | None, since: datetime | None, now: datetime, why: str) -> None:
        """A moment that is over has its outcome, or gets it now: it is due only once, however late the job came."""
        at: datetime = job.trigger.run_date.astimezone(timezone.utc)
        if at > now:
            return
        if newest != at:
            owed = since is not None and since < at
            origin, reason = (run_records.CATCH_UP, why or _down_until(now)) if owed else (run_records.SCHEDULE, PAST)
            self._lanes.take(job, Slots(at, at, 1), None, now, reason, origin)
        self._clock.set_next(job.id, None)

    def _set_next(self, job: Job, after: datetime) -> None:
        if job.id in self._begin_as_told:
            self._begin_as_told.discard(job.id)
        elif not isinstance(job.trigger, DateTrigger):
            self._clock.set_next(job.id, next_slot(job.trigger, after))


def accounted_until(job: Job, before: JobRecord | None, last_slot: datetime | None, now: datetime) -> datetime | None:
    """The moment up to which all slots of a job have their outcome; None for a job that is new."""
    if before is None:
        return last_slot
    if not before.enabled or not job.has_schedule(before.schedule):
        return now
    return max(last_slot or before.enabled_at, before.enabled_at)


def _down_until(now: datetime) -> str:
    return f"no daemon led then; a daemon leads again since {now:%Y-%m-%d %H:%M:%S} UTC"


def newest_slot(job: Job, now: datetime) -> datetime | None:
    """The newest slot of a new job, which runs at once; None unless the job is due at an interval and catches up."""
    trigger: Any = job.trigger
    if not isinstance(trigger, IntervalTrigger) or job.catch_up != "last":
        return None
    at = next_slot(trigger, now - trigger.interval)
    return at if at is not None and at <= now else None


def _tell_ahead(last: Mapping[str, datetime], now: datetime) -> None:
    """Tell which jobs have slots on record that are still to come, and are waited for."""
    ahead = {job: at for job, at in last.items() if now + LEAP < at <= now + AHEAD}
    if ahead:
        text = "slots are on record already that are still to come, up to %s: they do not run again: %s"
        log.warning(text, max(ahead.values()), ", ".join(ahead))
