"""Reads from the state database what the rules look at: the records that ended, and the runs that go on.

    ids of runs:   1 ... 80 | 81 ........ 280
                         upto              newest

A look must see each record once, when it ends. A run may end long after later runs. MySQL may also commit ids out
of order. So a position remembers three things:
- `upto`: every record up to this id has been looked at, apart from
- `open`: the runs up to `upto` that still go on: their fate is asked at each look;
- `ended`: the records above `upto` that have been looked at already.
`upto` stays WINDOW ids behind the newest: a record that is committed late is still found there.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, distinct, func, select

from janitor.jobs.counts import stored, whole_sum
from janitor.notices.history import MOST_SINCE, Ended, History, Running
from janitor.runs import Outcome
from janitor.state.tables import quarantine, runs
from janitor.state.watched import Watched

log = logging.getLogger(__name__)

WINDOW = 200
"""How many ids back a look searches for records that were committed late."""
MOST = 1_000
"""How many records one look takes at most."""
DAY = timedelta(days=1)
KNOWN = frozenset(outcome.value for outcome in Outcome)
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
_SINCE = _OF_JOB.where(runs.c.id > bindparam("b_after")).limit(MOST_SINCE)


@dataclass(frozen=True)
class News:
    """What came since the last look: the records that ended, by job and in order, and the position after them.

    `more` is True if one look could not take all of them.
    """

    position: Watched
    ended: Mapping[str, Sequence[Ended]] = field(default_factory=dict)
    more: bool = False


def beginning(connection: Connection) -> Watched:
    """Return the position of a first look: every record that has ended counts as looked at."""
    newest = connection.execute(select(func.max(runs.c.id))).scalar() or 0
    going_on = connection.execute(select(runs.c.id).where(runs.c.outcome.is_(None))).scalars()
    return Watched(newest, frozenset(going_on))


def news(connection: Connection, position: Watched) -> News:
    """Return the records that ended since a position."""
    fates = select(runs.c.id, runs.c.outcome)
    later = connection.execute(fates.where(runs.c.id > position.upto).order_by(runs.c.id).limit(MOST)).all()
    earlier = connection.execute(fates.where(runs.c.id.in_(position.open))).all() if position.open else []
    rows = [*earlier, *later]
    fresh = [row.id for row in rows if row.outcome is not None and row.id not in position.ended]
    return News(_position_after(position, rows), _by_job(connection, fresh), len(later) == MOST)


def _position_after(position: Watched, rows: Sequence[Any]) -> Watched:
    newest = max((row.id for row in rows), default=position.upto)
    upto = max(position.upto, newest - WINDOW)
    return Watched(
        upto,
        open=frozenset(row.id for row in rows if row.id <= upto and row.outcome is None),
        ended=frozenset(row.id for row in rows if row.id > upto and row.outcome is not None),
    )


def _by_job(connection: Connection, ids: Sequence[int]) -> dict[str, list[Ended]]:
    found: dict[str, list[Ended]] = {}
    if ids:
        query = select(*_COLUMNS).where(runs.c.id.in_(ids), _REAL).order_by(runs.c.id)
        for row in connection.execute(query):
            if row.outcome in KNOWN:
                found.setdefault(row.job, []).append(_ended(row))
            else:
                text = "run %d of %s has the outcome %s, which this release does not know: notices leave it out"
                log.warning(text, row.id, row.job, row.outcome)
    return found


def history(connection: Connection, job: str, keep: int, position: Watched) -> History:
    """Return how a job's runs ended, up to a position: at most `keep` successes, and the records after the last."""
    rows = connection.execute(_SUCCESSES, {"b_job": job, "b_keep": keep}).all()
    successes = [row for row in rows if position.has_seen(row.id)]
    last = successes[0].id if successes else 0
    after = connection.execute(_SINCE, {"b_job": job, "b_after": last}).all()
    found = History()
    seen = [row for row in reversed(after) if row.outcome in KNOWN and position.has_seen(row.id)]
    for row in [*reversed(successes), *seen]:
        found = found.and_then(_ended(row), keep)
    return found


def running(connection: Connection) -> dict[str, Running]:
    """Return the runs that go on, by job, without dry runs."""
    query = select(*_COLUMNS).where(runs.c.outcome.is_(None), runs.c.dry_run.is_(False))
    return {row.job: Running(row.id, row.origin, row.slot_at, row.started_at) for row in connection.execute(query)}


def quarantined(connection: Connection, now: datetime) -> dict[str, int]:
    """Count the keys that came into each quarantine within the last day and are still there."""
    table = quarantine.c
    query = select(table.name, func.count(distinct(table.key))).group_by(table.name)
    query = query.where(table.first_at > now - DAY, table.dropped_at.is_(None))
    return {name: count for name, count in connection.execute(query)}


def rows_of(counts: str | None) -> int | None:
    """Return how many rows a run handled: the sum of its counts without `quarantined`; None if it has no counts."""
    return whole_sum(value for name, value in (stored(counts) or {}).items() if name not in UNCOUNTED)


def _ended(row: Row[Any]) -> Ended:
    return Ended(
        id=row.id,
        outcome=Outcome(row.outcome),
        origin=row.origin,
        slot_at=row.slot_at,
        slots=row.slots,
        started_at=row.started_at,
        ended_at=row.ended_at or row.started_at,
        seconds=row.seconds or 0.0,
        reason=row.reason or "",
        rows=rows_of(row.counts),
    )
