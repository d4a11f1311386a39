"""Slot records: which slots have an outcome, and the stretches of slots in which no run began.

A stretch is one row of `runs`, however long it is: while a job is paused, its row grows with each slot.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Connection, delete, func, insert, select, update

from janitor.jobs.slots import Slots, next_slot_if_told
from janitor.runs import Outcome
from janitor.state.run_records import SCHEDULE
from janitor.state.tables import runs


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
    """Record a stretch of slots without a run.

    If it follows the job's newest record, with the same outcome and reason, that record grows; else a new row is made.
    """
    of_job = (runs.c.job == lost.job) & runs.c.slot_at.is_not(None)
    newest = connection.execute(select(runs).where(of_job).order_by(runs.c.slot_at.desc()).limit(1)).one_or_none()
    outcome = lost.outcome.value
    if newest is not None and (newest.outcome, newest.reason) == (outcome, lost.reason):
        if lost.goes_on_after(newest.slot_until_at):
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


def last_slots(connection: Connection) -> dict[str, datetime]:
    """For each job its newest slot that has an outcome or is running."""
    query = select(runs.c.job, func.max(runs.c.slot_until_at)).where(runs.c.slot_at.is_not(None)).group_by(runs.c.job)
    return {job: at for job, at in connection.execute(query)}


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
    across = (runs.c.job == job) & (runs.c.slot_at <= now) & (runs.c.slot_until_at > now)
    for row in connection.execute(select(runs).where(across)).all():
        past = between(row.slot_at - timedelta(microseconds=1), now)
        until, count = (row.slot_at, 1) if past is None else (past.last_at, past.count)
        values = {"slot_until_at": until, "ended_at": until, "slots": min(count, MOST_SLOTS)}
        connection.execute(update(runs).where(runs.c.id == row.id).values(values))
