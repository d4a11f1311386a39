"""Run records: a row for each run; it has no outcome while the run goes on."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from janitor.runs import Outcome
from janitor.state.raised import Raised
from janitor.state.tables import attempts, runs

SCHEDULE, CATCH_UP, BY_HAND, AFTER, WORK = "schedule", "catch_up", "by_hand", "after", "work"

# The statements of every run are made once: SQLAlchemy takes longer to make a statement than to execute it.
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
        "reason": ending.reason,
        "ended_at": ending.ended_at,
        "seconds": ending.seconds,
        "counts": None if ending.counts is None else json.dumps(ending.counts, default=str),
        "traceback": ending.traceback,
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
            "reason": attempt.reason,
            "traceback": attempt.traceback,
        }
        for attempt in made
    ]
    if rows:
        connection.execute(insert(attempts), rows)


def attempts_of(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    """The attempts of a run, in order."""
    return connection.execute(select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)).all()


def interrupt(
    connection: Connection, live: set[str], now: datetime, reason_of: Callable[[str], str]
) -> Sequence[Row[Any]]:
    """Close as `interrupted` every open run whose process is not in `live`; the rows closed.

    `reason_of` gives the reason for a process.
    """
    open_runs = connection.execute(select(runs).where(runs.c.outcome.is_(None)).order_by(runs.c.id)).all()
    dead = [row for row in open_runs if row.holder not in live]
    for row in dead:
        seconds = max(0.0, (now - row.started_at).total_seconds())
        ending = Ending(Outcome.INTERRUPTED, reason_of(row.holder), now, seconds, attempts=row.attempts)
        finish(connection, row.id, ending)
    return dead


def running(connection: Connection, job: str) -> Row[Any] | None:
    """The job's run that has no outcome yet; None if there is none."""
    return connection.execute(_RUNNING, {"b_job": job}).first()


def open_runs(connection: Connection, job: str, first_at: datetime, last_at: datetime, holder: str) -> Sequence[int]:
    """The runs that `holder` has begun and not ended, for slots from the first moment to the last."""
    query = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at.between(first_at, last_at))
    return connection.execute(query.where(runs.c.holder == holder, runs.c.outcome.is_(None))).scalars().all()


def get(connection: Connection, run_id: int) -> Row[Any] | None:
    """The run with an id; None if there is none."""
    return connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()


def history(connection: Connection, job: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest runs of one job, or of all; the newest first."""
    query = select(runs).order_by(runs.c.id.desc()).limit(limit)
    return connection.execute(query if job is None else query.where(runs.c.job == job)).all()


def keep_because(connection: Connection, run_id: int, reason: str) -> None:
    """Note why a run stays that was to be deleted."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(kept_because=reason))


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
