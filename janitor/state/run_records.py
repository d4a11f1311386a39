"""What is remembered of runs: one row for each, and one for each stretch of slots that got none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from janitor.jobs.slots import Slots, next_slot
from janitor.runs import Outcome
from janitor.state.tables import attempts, runs

SCHEDULE, CATCH_UP, BY_HAND, AFTER = "schedule", "catch_up", "by_hand", "after"
MAX_TEXT = 1_000_000
"""The longest reason or traceback that is kept, in characters."""

# Statements that every run executes are made once: making one takes SQLAlchemy longer than executing it.
_START = insert(runs)
_ENDING = ("outcome", "reason", "ended_at", "seconds", "counts", "traceback", "attempts")
_FINISH = (
    update(runs)
    .where(runs.c.id == bindparam("b_id"), runs.c.outcome.is_(None))
    .values({name: bindparam(name) for name in _ENDING})
)
_RUNNING = select(runs).where(runs.c.outcome.is_(None), runs.c.job == bindparam("b_job"))


@dataclass(frozen=True)
class Ending:
    """How a run ended, as it is written to its row."""

    outcome: Outcome
    reason: str | None
    ended_at: datetime
    seconds: float
    counts: Mapping[str, Any] | None = None
    traceback: str | None = None
    attempts: int = 1
    result: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One try of a run's task."""

    number: int
    started_at: datetime
    ended_at: datetime
    outcome: Outcome
    reason: str | None = None
    traceback: str | None = None


@dataclass(frozen=True)
class LostSlots:
    """A stretch of consecutive slots in which a job did not run, all for one reason.

    The job's `trigger` tells which slots are consecutive; without it any later stretch counts as going on.
    """

    job: str
    first_at: datetime
    last_at: datetime
    slots: int
    outcome: Outcome
    reason: str
    trigger: BaseTrigger | None = None

    def goes_on_after(self, slot_at: datetime) -> bool:
        """Whether no slot lies between an earlier one and this stretch."""
        if self.first_at <= slot_at:
            return False
        return self.trigger is None or next_slot(self.trigger, slot_at) == self.first_at


def start(
    connection: Connection,
    job: str,
    origin: str,
    slot_at: datetime | None,
    now: datetime,
    dry_run: bool,
    holder: str,
    config: bytes | None = None,
) -> int:
    """Record that a run has begun; its id.

    Raises:
        Rejected: the slot has an outcome already.
    """
    values: dict[str, Any] = {"job": job, "origin": origin, "slot_at": slot_at, "slot_until_at": slot_at}
    values |= {"dry_run": dry_run, "slots": 0 if slot_at is None else 1, "attempts": 1, "holder": holder}
    values["config"] = config
    made = connection.execute(_START, values | {"started_at": now}).inserted_primary_key
    return int(made[0]) if made else 0


def finish(connection: Connection, run_id: int, ending: Ending) -> bool:
    """Close a run; False where it was closed already, by whoever found it interrupted, and nothing is written."""
    values: dict[str, Any] = {"outcome": ending.outcome.value, "reason": ending.reason and ending.reason[:MAX_TEXT]}
    values |= {"ended_at": ending.ended_at, "seconds": ending.seconds, "attempts": ending.attempts}
    values["counts"] = None if ending.counts is None else json.dumps(ending.counts, default=str)
    values["traceback"] = ending.traceback and ending.traceback[-MAX_TEXT:]
    return connection.execute(_FINISH, {"b_id": run_id, **values}).rowcount == 1


def add_attempts(connection: Connection, run_id: int, made: Sequence[Attempt]) -> None:
    """Record the tries of a run."""
    rows = [
        {
            "run_id": run_id,
            "number": one.number,
            "started_at": one.started_at,
            "ended_at": one.ended_at,
            "outcome": one.outcome.value,
            "reason": one.reason and one.reason[:MAX_TEXT],
            "traceback": one.traceback and one.traceback[-MAX_TEXT:],
        }
        for one in made
    ]
    if rows:
        connection.execute(insert(attempts), rows)


def attempts_of(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    """The tries of a run, in order."""
    return connection.execute(select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)).all()


def record_lost(connection: Connection, lost: LostSlots, holder: str) -> None:
    """Record slots without a run; a stretch that goes on where the job's newest record ended grows that record."""
    of_job = (runs.c.job == lost.job) & runs.c.slot_at.is_not(None)
    newest = connection.execute(select(runs).where(of_job).order_by(runs.c.slot_at.desc()).limit(1)).one_or_none()
    outcome = lost.outcome.value
    if newest is not None and (newest.outcome, newest.reason) == (outcome, lost.reason):
        if lost.goes_on_after(newest.slot_until_at):
            grown = {"slots": newest.slots + lost.slots, "slot_until_at": lost.last_at, "ended_at": lost.last_at}
            connection.execute(update(runs).where(runs.c.id == newest.id).values(grown))
            return
    values = {"job": lost.job, "origin": SCHEDULE, "slot_at": lost.first_at, "slot_until_at": lost.last_at}
    values |= {"slots": lost.slots, "outcome": outcome, "reason": lost.reason, "started_at": lost.first_at}
    values |= {"ended_at": lost.last_at, "seconds": 0.0, "attempts": 0, "dry_run": False, "holder": holder}
    connection.execute(insert(runs).values(values))


def last_slots(connection: Connection) -> dict[str, datetime]:
    """The newest slot of each job that has an outcome or is running."""
    query = select(runs.c.job, func.max(runs.c.slot_until_at)).where(runs.c.slot_at.is_not(None)).group_by(runs.c.job)
    return {job: at for job, at in connection.execute(query)}


def take_back(
    connection: Connection, job: str, now: datetime, between: Callable[[datetime, datetime], Slots | None]
) -> None:
    """Let the slots of a job after `now` have no outcome yet; its runs stay on record, without these slots.

    `between` gives the job's slots later than a moment and not later than another.
    """
    ahead = (runs.c.job == job) & (runs.c.slot_at > now)
    did_not_run = runs.c.outcome.in_((Outcome.MISSED.value, Outcome.SKIPPED.value))
    connection.execute(delete(runs).where(ahead & did_not_run))
    connection.execute(update(runs).where(ahead).values(slot_at=None, slot_until_at=None, slots=0))
    across = (runs.c.job == job) & (runs.c.slot_at <= now) & (runs.c.slot_until_at > now)
    for row in connection.execute(select(runs).where(across)).all():
        past = between(row.slot_at - timedelta(microseconds=1), now)
        until, count = (row.slot_at, 1) if past is None else (past.last_at, past.count)
        values = {"slot_until_at": until, "ended_at": until, "slots": count}
        connection.execute(update(runs).where(runs.c.id == row.id).values(values))


def interrupt(connection: Connection, live: set[str], now: datetime, reason: str) -> Sequence[Row[Any]]:
    """Close every run whose process is not among the `live` ones as `interrupted`; the rows closed."""
    open_runs = connection.execute(select(runs).where(runs.c.outcome.is_(None)).order_by(runs.c.id)).all()
    dead = [row for row in open_runs if row.holder not in live]
    for row in dead:
        seconds = max(0.0, (now - row.started_at).total_seconds())
        finish(connection, row.id, Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=row.attempts))
    return dead


def running(connection: Connection, job: str) -> Row[Any] | None:
    """The run of `job` that has no outcome yet; None where there is none."""
    return connection.execute(_RUNNING, {"b_job": job}).first()


def open_slot(connection: Connection, job: str, slot_at: datetime, holder: str) -> int | None:
    """The run of a slot that `holder` has begun and not ended; None where there is none."""
    query = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at == slot_at, runs.c.holder == holder)
    return connection.execute(query.where(runs.c.outcome.is_(None))).scalar()


def get(connection: Connection, run_id: int) -> Row[Any] | None:
    """One run; None where there is none of that id."""
    return connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()


def history(connection: Connection, job: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest runs first, of one job or of all."""
    query = select(runs).order_by(runs.c.id.desc()).limit(limit)
    return connection.execute(query if job is None else query.where(runs.c.job == job)).all()


def newest(connection: Connection) -> dict[str, Row[Any]]:
    """Each job's newest record."""
    ids = select(func.max(runs.c.id)).group_by(runs.c.job)
    return {row.job: row for row in connection.execute(select(runs).where(runs.c.id.in_(ids)))}


def keep_because(connection: Connection, run_id: int, reason: str) -> None:
    """Note why a run that was to be deleted stays."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(kept_because=reason[:MAX_TEXT]))


def ask_to_stop(connection: Connection, run_id: int, actor: str) -> bool:
    """Note that somebody wants a run to stop, for the process that runs it; False where it has ended, or is asked."""
    going_on = (runs.c.id == run_id) & runs.c.outcome.is_(None) & runs.c.stop_asked_by.is_(None)
    return connection.execute(update(runs).where(going_on).values(stop_asked_by=actor)).rowcount == 1


def asked_to_stop(connection: Connection, run_ids: Sequence[int]) -> dict[int, str]:
    """Those of the runs that somebody wants to stop, and who."""
    wanted = select(runs.c.id, runs.c.stop_asked_by).where(runs.c.id.in_(run_ids), runs.c.stop_asked_by.is_not(None))
    return {run_id: actor for run_id, actor in connection.execute(wanted)}


def save_progress(connection: Connection, run_id: int, progress: str) -> None:
    """Replace what a run has reported so far, a JSON text."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(progress=progress))
