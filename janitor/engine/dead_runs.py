"""Runs whose process died: they are recorded as interrupted."""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from janitor.engine.observers import Observers
from janitor.logs.formats import facts_of
from janitor.runs import Fence, Outcome
from janitor.state import State, leases, run_records
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

GONE = "the process that ran it is gone"


def close_one(connection: Connection, row: Row[Any], now: datetime) -> None:
    """Record one open run as interrupted; the caller holds its job's lease, so that nobody runs it."""
    seconds = max(0.0, (now - row.started_at).total_seconds())
    run_records.finish(
        connection,
        row.id,
        Ending(Outcome.INTERRUPTED, reason=GONE, ended_at=now, seconds=seconds, attempts=row.attempts),
    )


def close_all(state: State, fence: Fence, observers: Observers) -> None:
    """Record every run of a dead process as interrupted, and free the leases of dead processes.

    Raises:
        Fenced: this process does not lead any more; nothing is written.
    """
    with state.begin(fence) as connection:
        now = state.now(connection)
        dead = run_records.interrupt(connection, leases.revoke_dead(connection, now), now, GONE)
    for row in dead:
        extra = facts_of(row.job, Outcome.INTERRUPTED, GONE, row.id)
        log.warning("run %d of %s is recorded as interrupted: %s", row.id, row.job, GONE, extra=extra)
        at = row.slot_at or row.started_at
        observers.lost(LostSlots(row.job, at, at, 1, Outcome.INTERRUPTED, GONE))
