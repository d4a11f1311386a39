"""Beginning a run: its first record, under its job's lease, with the runs of its dependencies that it uses."""

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from janitor.engine import dead_runs
from janitor.engine.descriptions import Descriptions
from janitor.engine.stages import Begun, Slot
from janitor.errors import BadSetting, Skip
from janitor.jobs import dependencies
from janitor.jobs.dependencies import NotReady
from janitor.jobs.job import Job
from janitor.logs.formats import facts_of
from janitor.runs import Outcome
from janitor.state import State, builds, leases, run_records, slot_records, starts
from janitor.state.slot_records import HasOutcome, LostSlots

log = logging.getLogger(__name__)


class Beginning:
    """Writes the beginnings of runs, in transactions of the journal."""

    def __init__(self, state: State, lease_seconds: float, holder: str, descriptions: Descriptions) -> None:
        """`holder` is this process's name on leases, which last `lease_seconds` unless they are renewed."""
        self._state, self._lease_seconds, self._holder = state, lease_seconds, holder
        self._descriptions = descriptions

    def write(self, connection: Connection, job: Job, slot: Slot, dry_run: bool) -> Begun | LostSlots:
        """Record that a run begins; a slot whose run may not begin is recorded as skipped.

        Raises:
            Skip, NotReady: a run without a slot may not begin.
            BadSetting: a pin names no run that it could use.
            HasOutcome: the slot has an outcome already.
        """
        try:
            return self._begin(connection, job, slot, dry_run)
        except (Skip, NotReady) as exc:
            if slot.at is None:
                raise
            return self._skipped(connection, job, slot.at, str(exc))

    def _begin(self, connection: Connection, job: Job, slot: Slot, dry_run: bool) -> Begun:
        now = self._state.now(connection)
        facts = starts.look(connection, job.id, slot.at)
        if facts.slot_is_over:
            raise HasOutcome(f"the slot {slot.at} of {job.id} has an outcome already")
        if slot.origin != run_records.BY_HAND and facts.paused:
            raise Skip("paused")
        fence = leases.take(
            connection,
            leases.job_lease(job.id),
            facts.lease,
            holder=self._holder,
            now=now,
            seconds=self._lease_seconds,
            again=True,
            leapt=self._state.clock.leapt(),
        )
        other = None if facts.running is None else run_records.get(connection, facts.running)
        if fence is None:
            where = f"run {other.id}" if other else "its last run"
            raise Skip(f"still running in another process ({where})")
        if other is not None:
            dead_runs.close_one(connection, other, now, self._holder)
        try:
            used = uses_of(connection, job, slot.pins, by_itself=slot.origin == run_records.AFTER)
        except NotReady:
            leases.release(connection, fence)
            raise
        config = self._descriptions.keep(connection, job)
        run_id = run_records.start(
            connection,
            job.id,
            origin=slot.origin,
            slot_at=slot.at,
            now=now,
            dry_run=dry_run,
            holder=self._holder,
            config=config,
        )
        builds.add_uses(connection, run_id, used)
        return Begun(run_id, fence, now, used)

    def _skipped(self, connection: Connection, job: Job, slot_at: datetime, reason: str) -> LostSlots:
        log.info("%s skipped: %s", job.id, reason, extra=facts_of(job.id, Outcome.SKIPPED, reason))
        lost = LostSlots(job.id, slot_at, slot_at, 1, Outcome.SKIPPED, reason, job.trigger)
        slot_records.record_lost(connection, lost, self._holder)
        return lost


def uses_of(connection: Connection, job: Job, pins: Mapping[str, int], *, by_itself: bool) -> dict[str, int]:
    """Which run of each dependency a run that begins now uses.

    Raises:
        NotReady: a dependency has not succeeded yet.
        BadSetting: a pin names no dependency, or no run of it that succeeded.
        Skip: the run begins `by_itself`, and its dependencies have nothing newer.
    """
    if not job.dependencies:
        return {}
    standings = builds.standings(connection, [job.id, *job.dependencies])
    if by_itself and not dependencies.due(job, standings):
        raise Skip("its dependencies have nothing newer")
    for name, run_id in pins.items():
        _check_pin(connection, job, name, run_id)
    return dependencies.used_now(job, standings, pins)


def _check_pin(connection: Connection, job: Job, name: str, run_id: int) -> None:
    pin, row = f"{name}={run_id}", run_records.get(connection, run_id)
    if name not in job.dependencies:
        known = ", ".join(job.dependencies) or "none"
        raise BadSetting("--pin", pin, f"{name} is no dependency of {job.id}; its dependencies are: {known}")
    if row is None or row.job != name or row.outcome != Outcome.SUCCEEDED or row.dry_run:
        said = f"run {run_id} is no run of {name} that succeeded; `history {name}` lists them"
        raise BadSetting("--pin", pin, said)
