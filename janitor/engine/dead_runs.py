"""Runs whose process died: they are recorded as interrupted.

    a daemon comes to lead       all runs of processes without a lease are closed
    it leads                     so are runs of processes whose leases have been over for as long as a lease lasts
    a job's next run begins      its open run is closed, if its lease is free

A process may die a moment after it has taken a lease: then that lease ends later than the daemon's own. Runs by hand
are processes of their own.
"""

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from janitor.engine.observers import Observers
from janitor.logs.formats import facts_of
from janitor.runs import Fence, Outcome
from janitor.state import State, leases, run_records
from janitor.state.holders import is_dead
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

GONE = "the process that ran it is gone"
SILENT = (
    "the process that ran it gave no sign of life for as long as its lease lasts: it is gone, frozen, or cut off from "
    "the state database"
)
UNTOLD = "what became of it could not be recorded: the state database did not answer"
"""Why a run of this very process was left open."""
AT_ONCE = timedelta()


class DeadRuns:
    """A duty of the daemon that leads: it closes the runs of processes that die meanwhile."""

    def __init__(
        self, state: State, lead: Callable[[], Fence | None], observers: Observers, lease_seconds: float
    ) -> None:
        """Nothing is closed before the daemon has led for `lease_seconds`.

        `lead` gives its fence, None if it stands by.
        """
        self._state, self._lead, self._observers, self._seconds = state, lead, observers, lease_seconds
        self._looked, self._since = -math.inf, 0.0

    def look(self) -> None:
        """Close what is to be closed, once in `lease_seconds`; call it each second.

        While the state database is away nobody can renew a lease. So it must have been there for as long before.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away.
        """
        moment, fence = self._state.clock.boot(), self._lead()
        if moment - self._looked > self._seconds:
            self._since = moment
        self._looked = moment
        if fence is not None and moment - self._since >= self._seconds:
            self._since = moment
            close_all(self._state, fence, self._observers, patience=timedelta(seconds=self._seconds))


def close_one(connection: Connection, row: Row[Any], now: datetime, holder: str) -> None:
    """Record one open run as interrupted; the caller, `holder`, has its job's lease, so that nobody runs it."""
    seconds, reason = max(0.0, (now - row.started_at).total_seconds()), reason_of(row.holder)
    run_records.finish(
        connection,
        row.id,
        Ending(
            Outcome.INTERRUPTED,
            reason=UNTOLD if row.holder == holder else reason,
            ended_at=now,
            seconds=seconds,
            attempts=row.attempts,
        ),
    )


def close_all(state: State, fence: Fence, observers: Observers, patience: timedelta = AT_ONCE) -> None:
    """Record every run of a dead process as interrupted, and free the leases of dead processes.

    A process that is not known to be dead counts as dead once its leases have been over for so long.

    Raises:
        Fenced: this process does not lead any more; nothing is written.
    """
    with state.begin(fence) as connection:
        now = state.now(connection)
        live = leases.revoke_dead(connection, now - state.clock.leapt() - patience)
        dead = run_records.interrupt(connection, live, now, reason_of)
    for row in dead:
        reason, at = reason_of(row.holder), row.slot_at or row.started_at
        extra = facts_of(row.job, Outcome.INTERRUPTED, reason, row.id)
        log.warning("run %d of %s is recorded as interrupted: %s", row.id, row.job, reason, extra=extra)
        observers.lost(LostSlots(row.job, at, at, 1, Outcome.INTERRUPTED, reason))


def reason_of(holder: str) -> str:
    """Why the run of a process is interrupted that does not hold its lease any more."""
    return GONE if is_dead(holder) else SILENT
