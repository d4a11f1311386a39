"""Slot records: which slots have an outcome, and the stretches of slots in which no run began.

A stretch is one row of `runs`, however long it is: while a job is paused, its row grows with each slot.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Connection, Row, delete, insert, select, update

from janitor.errors import JanitorError
from janitor.guard import foreign_code
from janitor.jobs.slots import MOMENT, Slots, next_slot, next_slot_if_told, slots_between
from janitor.runs import Outcome
from janitor.state.run_records import SCHEDULE
from janitor.state.tables import jobs, runs


class HasOutcome(JanitorError):
    """Raised when a run for a slot is to begin that has an outcome already."""


@dataclass(frozen=True)
class LostSlots:
    """A stretch of consecutive slots in which a job did not run, all for one reason.

    The job's `trigger` tells which slots are consecutive. Without it, every later stretch counts as the next.
    """

    job: str
    first_at: datetime
    last_at: datetime
    slots: int
    outcome: Outcome
    reason: str
    trigger: BaseTrigger | None = None

    def goes_on_after(self, slot_at: datetime) -> bool:
        """Whether this stretch begins with the slot after `slot_at`; not if the trigger cannot tell that slot."""
        if self.first_at <= slot_at:
            return False
        return self.trigger is None or next_slot_if_told(self.trigger, slot_at) == self.first_at


MOST_SLOTS = 2**31 - 1
"""What the column holds; a longer stretch is recorded as that many slots."""


def record_lost(connection: Connection, lost: LostSlots, holder: str) -> None:
    """Record a stretch of slots without a run, less those that have an outcome or whose run has begun.

    If it follows the job's newest record, with the same outcome and reason, that record grows; else a new row is made.
    A record never spans two schedules.
    To record it twice changes nothing: the answer to the first time may be lost.

    Raises:
        Rejected: it is a single slot, and a record begins with it already.
    """
    of_job = (runs.c.job == lost.job) & runs.c.slot_at.is_not(None)
    query = select(runs, jobs.c.enabled_at).outerjoin(jobs, jobs.c.id == runs.c.job).where(of_job)
    newest = connection.execute(query.order_by(runs.c.slot_at.desc()).limit(1)).one_or_none()
    if newest is None or lost.first_at > newest.slot_until_at:
        return _record(connection, lost, newest, holder)
    for part in _without_outcome(connection, lost):
        _record(connection, part, newest, holder)


def _record(connection: Connection, lost: LostSlots, newest: Row[Any] | None, holder: str) -> None:
    outcome = lost.outcome.value
    if newest is not None and (newest.outcome, newest.reason) == (outcome, lost.reason):
        is_same_schedule = newest.enabled_at is None or newest.enabled_at < newest.slot_until_at
        if is_same_schedule and lost.goes_on_after(newest.slot_until_at):
            slots = min(newest.slots + lost.slots, MOST_SLOTS)
            grown = {"slots": slots, "slot_until_at": lost.last_at, "ended_at": lost.last_at}
            connection.execute(update(runs).where(runs.c.id == newest.id).values(grown))
            return
    values = {
        "job": lost.job,
        "origin": SCHEDULE,
        "slot_at": lost.first_at,
        "slot_until_at": lost.last_at,
        "slots": min(lost.slots, MOST_SLOTS),
        "outcome": outcome,
        "reason": lost.reason,
        "started_at": lost.first_at,
        "ended_at": lost.last_at,
        "seconds": 0.0,
        "attempts": 0,
        "dry_run": False,
        "holder": holder,
    }
    connection.execute(insert(runs).values(values))


def _without_outcome(connection: Connection, lost: LostSlots) -> Sequence[LostSlots]:
    """The parts of a stretch whose slots have no outcome yet; all of it if its trigger cannot tell them."""
    of_job = select(runs.c.slot_at, runs.c.slot_until_at).where(runs.c.job == lost.job)
    before = of_job.where(runs.c.slot_at < lost.first_at).order_by(runs.c.slot_at.desc()).limit(1)
    within = of_job.where(runs.c.slot_at.between(lost.first_at, lost.last_at)).order_by(runs.c.slot_at)
    found = [row for row in connection.execute(before) if row.slot_until_at >= lost.first_at]
    found += connection.execute(within).all()
    is_there = lost.slots == 1 and any(row.slot_at == lost.first_at for row in found)
    parts: Sequence[LostSlots] = [lost]
    if found and lost.trigger is not None and not is_there:
        with foreign_code(lambda error: None):
            parts = list(_parts(lost, lost.trigger, [(row.slot_at, row.slot_until_at) for row in found]))
    return parts


def _parts(lost: LostSlots, trigger: BaseTrigger, found: Sequence[tuple[datetime, datetime]]) -> Iterator[LostSlots]:
    """The parts of a stretch before, between and after records, which are in the order of their slots."""
    first_at: datetime | None = lost.first_at
    for slot_at, until_at in found:
        if first_at is not None and first_at < slot_at:
            yield _part(lost, trigger, first_at, slot_at - MOMENT)
        first_at = next_slot(trigger, until_at)
    if first_at is not None and first_at <= lost.last_at:
        yield _part(lost, trigger, first_at, lost.last_at)


def _part(lost: LostSlots, trigger: BaseTrigger, first_at: datetime, until: datetime) -> LostSlots:
    # The first slot stands for itself: a job's first run may be at any moment that its line says.
    later = slots_between(trigger, first_at, until)
    last_at, count = (first_at, 0) if later is None else (later.last_at, later.count)
    return replace(lost, first_at=first_at, last_at=last_at, slots=1 + count)


# The end of an index for each job: the largest of all slots would be looked for in the whole history.
_LAST_SLOT = (
    select(runs.c.slot_until_at)
    .where(runs.c.job == jobs.c.id, runs.c.slot_at.is_not(None))
    .order_by(runs.c.slot_at.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs)
)
_LAST_SLOTS = select(jobs.c.id, _LAST_SLOT.label("at"))


def last_slots(connection: Connection) -> dict[str, datetime]:
    """For each job that is remembered, its newest slot that has an outcome or is running."""
    return {job: at for job, at in connection.execute(_LAST_SLOTS) if at is not None}


def take_back(
    connection: Connection, job: str, now: datetime, between: Callable[[datetime, datetime], Slots | None]
) -> None:
    """Take the outcomes of a job's slots after `now` back: the clock was set back, and they are still to come.

    Runs stay on record, without their slots. `between` gives the job's slots after a moment, up to another.
    """
    ahead = (runs.c.job == job) & (runs.c.slot_at > now)
    did_not_run = runs.c.outcome.in_((Outcome.MISSED.value, Outcome.SKIPPED.value))
    connection.execute(delete(runs).where(ahead & did_not_run))
    connection.execute(update(runs).where(ahead).values(slot_at=None, slot_until_at=None, slots=0))
    # No record spans the slots of another: only the newest can reach beyond.
    newest = select(runs).where(runs.c.job == job, runs.c.slot_at <= now).order_by(runs.c.slot_at.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    if row is not None and row.slot_until_at > now:
        past = between(row.slot_at - timedelta(microseconds=1), now)
        until, count = (row.slot_at, 1) if past is None else (past.last_at, past.count)
        values = {"slot_until_at": until, "ended_at": until, "slots": min(count, MOST_SLOTS)}
        connection.execute(update(runs).where(runs.c.id == row.id).values(values))
