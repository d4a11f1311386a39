"""Run records: a row for each run, and a row for each stretch of slots in which no run began."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from janitor.jobs.slots import Slots, next_slot
from janitor.runs import Outcome
from janitor.state.raised import Raised
from janitor.state.tables import attempts, runs

SCHEDULE, CATCH_UP, BY_HAND, AFTER = "schedule", "catch_up", "by_hand", "after"
MAX_TEXT = 1_000_000
"""So many characters of a reason or a traceback are kept."""

# Statements that every run executes are made once: SQLAlchemy takes longer to make one than to execute it.
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
    """How a run ended.

    `result` is a JSON text. `raised` is the traceback as data: it is told to observers, and not kept.
    """

    outcome: Outcome
    reason: str | None
    ended_at: datetime
    seconds: float
    counts: Mapping[str, Any] | None = None
    traceback: str | None = None
    attempts: int = 1
    result: str | None = None
    raised: tuple[Raised, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run's task."""

    number: int
    started_at: datetime
    ended_at: datetime
    outcome: Outcome
    reason: str | None = None
    traceback: str | None = None


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
        """Whether this stretch begins with the slot after `slot_at`."""
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
    """Record that a run begins; its id.

    Raises:
        Rejected: the slot has an outcome already.
    """
    values = {
        "job": job,
        "origin": origin,
        "slot_at": slot_at,
        "slot_until_at": slot_at,
        "slots": 0 if slot_at is None else 1,
        "started_at": now,
        "attempts": 1,
        "dry_run": dry_run,
        "holder": holder,
        "config": config,
    }
    made = connection.execute(_START, values).inserted_primary_key
    return int(made[0]) if made else 0


def finish(connection: Connection, run_id: int, ending: Ending) -> bool:
    """Close a run. False if it was closed already, as interrupted: then nothing is written."""
    values = {
        "b_id": run_id,
        "outcome": ending.outcome.value,
        "reason": ending.reason and ending.reason[:MAX_TEXT],
        "ended_at": ending.ended_at,
        "seconds": ending.seconds,
        "counts": None if ending.counts is None else json.dumps(ending.counts, default=str),
        "traceback": ending.traceback and ending.traceback[-MAX_TEXT:],
        "attempts": ending.attempts,
    }
    return connection.execute(_FINISH, values).rowcount == 1


def add_attempts(connection: Connection, run_id: int, made: Sequence[Attempt]) -> None:
    """Record the attempts of a run."""
    rows = [
        {
            "run_id": run_id,
            "number": attempt.number,
            "started_at": attempt.started_at,
            "ended_at": attempt.ended_at,
            "outcome": attempt.outcome.value,
            "reason": attempt.reason and attempt.reason[:MAX_TEXT],
            "traceback": attempt.traceback and attempt.traceback[-MAX_TEXT:],
        }
        for attempt in made
    ]
    if rows:
        connection.execute(insert(attempts), rows)


def attempts_of(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    """The attempts of a run, in order."""
    return connection.execute(select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)).all()


def record_lost(connection: Connection, lost: LostSlots, holder: str) -> None:
    """Record a stretch of slots without a run.

    If it follows the job's newest record, with the same outcome and reason, that record grows; else a new row is made.
    """
    of_job = (runs.c.job == lost.job) & runs.c.slot_at.is_not(None)
    newest = connection.execute(select(runs).where(of_job).order_by(runs.c.slot_at.desc()).limit(1)).one_or_none()
    outcome = lost.outcome.value
    if newest is not None and (newest.outcome, newest.reason) == (outcome, lost.reason):
        if lost.goes_on_after(newest.slot_until_at):
            grown = {"slots": newest.slots + lost.slots, "slot_until_at": lost.last_at, "ended_at": lost.last_at}
            connection.execute(update(runs).where(runs.c.id == newest.id).values(grown))
            return
    values = {
        "job": lost.job,
        "origin": SCHEDULE,
        "slot_at": lost.first_at,
        "slot_until_at": lost.last_at,
        "slots": lost.slots,
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
        values = {"slot_until_at": until, "ended_at": until, "slots": count}
        connection.execute(update(runs).where(runs.c.id == row.id).values(values))


def interrupt(connection: Connection, live: set[str], now: datetime, reason: str) -> Sequence[Row[Any]]:
    """Close as `interrupted` every open run whose process is not in `live`; the rows closed."""
    open_runs = connection.execute(select(runs).where(runs.c.outcome.is_(None)).order_by(runs.c.id)).all()
    dead = [row for row in open_runs if row.holder not in live]
    for row in dead:
        seconds = max(0.0, (now - row.started_at).total_seconds())
        finish(connection, row.id, Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=row.attempts))
    return dead


def running(connection: Connection, job: str) -> Row[Any] | None:
    """The job's run that has no outcome yet; None if there is none."""
    return connection.execute(_RUNNING, {"b_job": job}).first()


def open_slot(connection: Connection, job: str, slot_at: datetime, holder: str) -> int | None:
    """The run of a slot that `holder` has begun and not ended; None if there is none."""
    query = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at == slot_at, runs.c.holder == holder)
    return connection.execute(query.where(runs.c.outcome.is_(None))).scalar()


def get(connection: Connection, run_id: int) -> Row[Any] | None:
    """The run with an id; None if there is none."""
    return connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()


def history(connection: Connection, job: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest runs of one job, or of all; the newest first."""
    query = select(runs).order_by(runs.c.id.desc()).limit(limit)
    return connection.execute(query if job is None else query.where(runs.c.job == job)).all()


def newest(connection: Connection) -> dict[str, Row[Any]]:
    """Each job's newest record."""
    ids = select(func.max(runs.c.id)).group_by(runs.c.job)
    return {row.job: row for row in connection.execute(select(runs).where(runs.c.id.in_(ids)))}


def keep_because(connection: Connection, run_id: int, reason: str) -> None:
    """Note why a run stays that was to be deleted."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(kept_because=reason[:MAX_TEXT]))


def ask_to_stop(connection: Connection, run_id: int, actor: str) -> bool:
    """Note that somebody wants a run to stop; its process reads that. False if it has ended, or was asked before."""
    going_on = (runs.c.id == run_id) & runs.c.outcome.is_(None) & runs.c.stop_asked_by.is_(None)
    return connection.execute(update(runs).where(going_on).values(stop_asked_by=actor)).rowcount == 1


def asked_to_stop(connection: Connection, run_ids: Sequence[int]) -> dict[int, str]:
    """Which of the runs somebody wants to stop, and who."""
    wanted = select(runs.c.id, runs.c.stop_asked_by).where(runs.c.id.in_(run_ids), runs.c.stop_asked_by.is_not(None))
    return {run_id: actor for run_id, actor in connection.execute(wanted)}


def save_progress(connection: Connection, run_id: int, progress: str) -> None:
    """Replace the progress that a run has reported, a JSON text."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(progress=progress))
