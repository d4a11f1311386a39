"""Renewing the leases of this process, and telling for how long nobody can have taken them."""

import math
import time
from collections.abc import Callable, Sequence

from janitor.databases.errors import has_locked_file, lost_a_race
from janitor.engine.live import Live, LiveRuns
from janitor.errors import Fenced, JanitorError, Unavailable
from janitor.runs import Fence
from janitor.state import State, leases
from janitor.state.clocks import boot_clock

DEADLOCK_TRIES = 5


class LeaseRenewal:
    """Extends the leases of the runs that go on here, and the daemon's lease if this process holds it."""

    def __init__(self, state: State, seconds: float, live: LiveRuns, clock: Callable[[], float] = boot_clock) -> None:
        """A lease lasts `seconds` by `clock`; before `begin` is called, no lease is watched."""
        self._state, self._seconds, self._live, self._clock = state, seconds, live, clock
        self._valid_until, self._renew_at = math.inf, 0.0
        self.renewed_since: float | None = None
        """Since when each renewal went well, by `time.monotonic`; None if the last did not, or there was none."""
        self._is_locked = False

    def begin(self) -> None:
        """Watch the leases from now on: `check` raises once they may have ended."""
        self._valid_until = self._clock() + self._seconds

    def check(self) -> bool:
        """Let a run go on only while nobody else can have taken over; False: it is to wait, and to ask again.

        It waits while another process has the SQLite file to itself: nobody takes leases over then. The next renewal
        tells whether they still stand.

        Raises:
            Unavailable: the leases could not be renewed for as long as they last.
        """
        if self._clock() <= self._valid_until:
            return True
        if self._is_locked:
            return False
        raise Unavailable(
            f"the leases in the state database could not be renewed for {self._seconds:g} s, so that another "
            "daemon may have taken over: this run writes nothing more"
        )

    def failed(self, error: JanitorError) -> None:
        """Note why the leases were not renewed: if another process has the SQLite file to itself, nobody renews any."""
        self._is_locked = has_locked_file(error)

    def renewed(self, began: float) -> None:
        """Count anew from `began`, a reading of the boot clock before the leases were renewed."""
        self._valid_until, self._renew_at = began + self._seconds, began + self._seconds / 3
        if self.renewed_since is None:
            self.renewed_since = time.monotonic()

    def renew_if_due(self, daemon: Fence | None) -> None:
        """Renew all leases, once a third of their time is over; a run that lost its lease is asked to stop.

        Raises:
            Fenced: `daemon`, the daemon's own lease, is lost.
            Unavailable, Rejected: the state database is away.
        """
        began = self._clock()
        if began < self._renew_at:
            return
        well_since, self.renewed_since = self.renewed_since, None
        going_on = list(self._live.values())
        held = self._renew(going_on, [live.fence for live in going_on] + ([daemon] if daemon else []))
        for live in going_on:
            if live.fence not in held and live.run.id in self._live:
                live.run.ask_to_stop(Fenced("another process took this job over"))
        if daemon is not None and daemon not in held:
            raise Fenced("another daemon has taken over")
        self.renewed_since = well_since
        self.renewed(began)

    def _renew(self, going_on: Sequence[Live], fences: Sequence[Fence]) -> set[Fence]:
        """Extend leases, and those that runs hold themselves; the fences that still stand.

        Records hold the same rows. If the server ends this transaction to end a deadlock, it is tried again at once: a
        lease would not last until the next look.
        """
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                with self._state.begin() as connection:
                    now = self._state.now(connection)
                    held = leases.renew(connection, fences, now, self._seconds)
                    leases.renew_of(connection, [live.run.holder for live in going_on], now, self._seconds)
                    leases.cut_all(connection, now)
                self._is_locked = False
                return held
            except JanitorError as exc:
                self.failed(exc)
                if attempt == DEADLOCK_TRIES or not lost_a_race(exc):
                    raise
        raise AssertionError("unreachable")
