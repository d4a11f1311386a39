"""Leading: of all daemons on a state database, at most one lets its clock go.

        daemon A                     the lease `daemon`              daemon B
        takes it, token 7   ───────>  held by A, token 7
        renews it, again and again    expires ever later             stands by: looks each second
        is frozen, or cut off         expires
                                      held by B, token 8   <───────  takes it, token 8
        writes under token 7: refused                                closes A's runs, goes on

1. A lease has a holder, a token and an end. Each change of holder makes the token larger by 1.
2. Name and token together are a fence. Every write of a leader first looks whether its fence still stands.
3. So it does no harm if A wakes up late and believes that it leads: its first write is refused, and it stands by.
4. A run also checks the time at its safe points: it stops once its leases may have ended.
5. The database's clock decides when a lease ends, so that the machines' clocks need not agree.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from janitor.engine import dead_runs, migrating
from janitor.engine.lease_renewal import LeaseRenewal
from janitor.engine.live import LiveRuns
from janitor.engine.observers import Observers
from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state import State, leases

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lead:
    """Whether this process leads, at one moment: the fence of the daemon's lease, None if it does not lead.

    `check` tells whether a run may write: False if that will turn out soon. It raises Unavailable once another process
    may have taken the leases over.
    """

    fence: Fence | None
    check: Callable[[], bool]

    @property
    def fences(self) -> tuple[Fence, ...]:
        """The fences for a write that only the leader may make."""
        # No lease ever has the token -1: whoever does not lead has no say in slots.
        return (self.fence or Fence(leases.DAEMON, -1),)


class Leadership:
    """Takes the daemon's lease, loses it, and gives it back; `lead` tells how it stands."""

    def __init__(
        self,
        state: State,
        holder: str,
        lease_seconds: float,
        renewal: LeaseRenewal,
        live: LiveRuns,
        observers: Observers,
    ) -> None:
        """Nobody leads before `try_to_take`; `holder` is this process's name on leases."""
        self._state, self._holder, self._seconds = state, holder, lease_seconds
        self._renewal, self._live, self._observers = renewal, live, observers
        self._told_standby = False
        self._lead = Lead(None, renewal.check)
        self.is_migrating = False
        """Whether the keeper's thread migrates. A step may take minutes, and may be cut off at any time."""

    @property
    def lead(self) -> Lead:
        """Whether this process leads now."""
        return self._lead

    def take(self, fence: Fence | None) -> None:
        """Lead under a lease that is held already; with None, do not lead any more."""
        self._lead = Lead(fence, self._renewal.check)

    def try_to_take(self) -> bool:
        """Take the daemon's lease if it is free, and close what dead processes left; whether this process leads now.

        Raises:
            Unavailable, Rejected: the state database is away, or another release has migrated it meanwhile.
        """
        began = self._state.clock.boot()
        with self._state.begin() as connection:
            now = self._state.now(connection)
            # A lease left by our own unfinished attempt counts as free.
            leapt = self._state.clock.leapt()
            fence = leases.acquire(connection, leases.DAEMON, self._holder, now, self._seconds, again=True, leapt=leapt)
            other = leases.holder_of(connection, leases.DAEMON)
            if fence is not None:
                # Whoever migrates holds this lease. So the schema stays as it is now.
                self._state.require()
        if fence is None:
            if not self._told_standby:
                log.info("standing by: another daemon holds the state database (%s)", (other or "").split("|")[0])
            self._told_standby = True
            return False
        with ExitStack() as after_an_error:
            # Another daemon may do better.
            after_an_error.callback(migrating.give_back, self._state, fence)
            dead_runs.close_all(self._state, fence, self._observers)
            after_an_error.pop_all()
        self.take(fence)
        self._renewal.renewed(began)
        self._told_standby = False
        return True

    def other(self) -> str | None:
        """Who leads; None if it is this process, or nobody that can be alive.

        Raises:
            Unavailable, Rejected: the state database is away.
        """
        with self._state.read() as connection:
            found = leases.holder_of(connection, leases.DAEMON)
            alive = leases.live_holders(connection, self._state.now(connection) - self._state.clock.leapt())
        return found if found in alive and found != self._holder else None

    def migrate(self) -> Fence | None:
        """Bring the schema to this release's version; None, and nothing is changed, if another daemon leads.

        Raises:
            as `migrating.migrate`.
        """
        self.is_migrating = True
        try:
            return migrating.migrate(self._state, self._holder, self._seconds)
        finally:
            self.is_migrating = False

    def lose(self, why: Fenced) -> None:
        """Lead no more, since another daemon leads: ask every run to stop."""
        log.error("%s: this one stops its runs and stands by", why)
        self.take(None)
        for live in list(self._live.values()):
            live.run.ask_to_stop(Fenced(str(why)))

    def give_up(self) -> None:
        """Lead no more, so that another daemon can. Runs that go on keep their own leases, and go on.

        Raises:
            Unavailable, Rejected: the state database is away; the lease ends by itself.
        """
        fence = self.lead.fence
        self.take(None)
        self.free(fence)

    def free(self, fence: Fence | None) -> None:
        """Give the daemon's lease back, so that a stand-by need not wait for its end; None: there is nothing to do.

        Raises:
            Unavailable, Rejected: the state database is away; the lease ends by itself.
        """
        if fence is not None:
            with self._state.begin() as connection:
                leases.release(connection, fence)
