"""What the rules look at, read from the state database: the records that ended, and what goes on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, distinct, func, select

from janitor.notices.rules import KEPT, Ended, History, Running
from janitor.runs import Outcome
from janitor.state.notices import Position
from janitor.state.tables import quarantine, runs

WINDOW = 200
"""How far back a record is looked for that was not there yet at the last look: MySQL may commit ids out of order."""
MOST = 1_000
"""How many records are looked at together."""
DAY = timedelta(days=1)
UNCOUNTED = frozenset({"quarantined"})

_COLUMNS: tuple[Any, ...] = (
    runs.c.id,
    runs.c.job,
    runs.c.outcome,
    runs.c.origin,
    runs.c.slot_at,
    runs.c.slots,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.seconds,
    runs.c.counts,
    runs.c.dry_run,
    func.substr(runs.c.reason, 1, 300).label("reason"),
)
_REAL = (runs.c.dry_run.is_(False)) & (runs.c.outcome != Outcome.SKIPPED.value)
_OF_JOB = select(*_COLUMNS).where(runs.c.job == bindparam("b_job"), _REAL).order_by(runs.c.id.desc())
_SUCCESSES = _OF_JOB.where(runs.c.outcome == Outcome.SUCCEEDED.value).limit(bindparam("b_keep"))
_SINCE = _OF_JOB.where(runs.c.id > bindparam("b_after")).limit(KEPT)


@dataclass(frozen=True)
class News:
    """What has come since the last look: records that ended, by job and in order, and the position after them."""

    position: Position
    ended: Mapping[str, Sequence[Ended]] = field(default_factory=dict)
    more: bool = False


def beginning(connection: Connection) -> Position:
    """The position of a first look: all that has ended counts as looked at."""
    newest = connection.execute(select(func.max(runs.c.id))).scalar() or 0
    going_on = connection.execute(select(runs.c.id).where(runs.c.outcome.is_(None))).scalars()
    return Position(newest, frozenset(going_on))


def news(connection: Connection, position: Position) -> News:
    """What has ended since a position."""
    fates = select(runs.c.id, runs.c.outcome)
    later = connection.execute(fates.where(runs.c.id > position.upto).order_by(runs.c.id).limit(MOST)).all()
    earlier = connection.execute(fates.where(runs.c.id.in_(position.open))).all() if position.open else []
    rows = [*earlier, *later]
    fresh = [row.id for row in rows if row.outcome is not None and row.id not in position.ended]
    newest = max((row.id for row in later), default=position.upto)
    upto = max(position.upto, newest - WINDOW)
    after = Position(
        upto,
        frozenset(row.id for row in rows if row.id <= upto and row.outcome is None),
        frozenset(row.id for row in rows if row.id > upto and row.outcome is not None),
    )
    found: dict[str, list[Ended]] = {}
    if fresh:
        query = select(*_COLUMNS).where(runs.c.id.in_(fresh), _REAL).order_by(runs.c.id)
        for row in connection.execute(query):
            found.setdefault(row.job, []).append(_ended(row))
    return News(after, found, len(later) == MOST)


def history(connection: Connection, job: str, keep: int, position: Position) -> History:
    """How a job's runs ended, as far as a position goes: `keep` successes at most, and what came after them."""
    rows = connection.execute(_SUCCESSES, {"b_job": job, "b_keep": keep}).all()
    successes = [row for row in rows if position.has_seen(row.id)]
    last = successes[0].id if successes else 0
    after = connection.execute(_SINCE, {"b_job": job, "b_after": last}).all()
    found = History()
    for row in [*reversed(successes), *(row for row in reversed(after) if position.has_seen(row.id))]:
        found = found.and_then(_ended(row), keep)
    return found


def running(connection: Connection) -> dict[str, Running]:
    """The runs that go on, by job; dry runs are left out."""
    query = select(*_COLUMNS).where(runs.c.outcome.is_(None), runs.c.dry_run.is_(False))
    return {row.job: Running(row.id, row.origin, row.slot_at, row.started_at) for row in connection.execute(query)}


def quarantined(connection: Connection, now: datetime) -> dict[str, int]:
    """How many keys came into each quarantine within the last day and are there still."""
    table = quarantine.c
    query = select(table.name, func.count(distinct(table.key))).group_by(table.name)
    query = query.where(table.first_at > now - DAY, table.dropped_at.is_(None))
    return {name: count for name, count in connection.execute(query)}


def counts_of(counts: str | None) -> dict[str, Any] | None:
    """A run's counts."""
    found: dict[str, Any] | None = json.loads(counts) if counts else None
    return found


def rows_of(counts: str | None) -> int | None:
    """How many rows a run handled: the sum of its counts, less what it put into quarantine; None without any."""
    values = (counts_of(counts) or {}).items()
    numbers = [value for name, value in values if type(value) in (int, float) and name not in UNCOUNTED]
    return int(sum(numbers)) if numbers else None


def _ended(row: Row[Any]) -> Ended:
    ended_at = row.ended_at or row.started_at
    return Ended(
        row.id,
        Outcome(row.outcome),
        row.origin,
        row.slot_at,
        row.slots,
        row.started_at,
        ended_at,
        row.seconds or 0.0,
        row.reason or "",
        rows_of(row.counts),
    )
